#!/usr/bin/env bash
# A raw disk that a PC's BIOS boots by itself: MBR, a FAT partition with syslinux, a kernel and its initramfs, and a partition
# with a file system that is given.
#
#   bootable.sh OUTPUT KERNEL INITRD APPEND MIB FILESYSTEM     APPEND: the kernel's arguments; MIB: of the FAT partition
#
# The second partition ends with the disk. Nothing is mounted, so no root is needed.
set -euo pipefail
output=$1 kernel=$2 initrd=$3 append=$4 mib=$5 filesystem=$6
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

truncate -s "${mib}M" "$work/boot.fat"
mkfs.vfat -n BOOT "$work/boot.fat" >/dev/null
printf 'DEFAULT l\nPROMPT 0\nLABEL l\n KERNEL vmlinuz\n INITRD initrd.img\n APPEND %s\n' "$append" >"$work/syslinux.cfg"
mcopy -i "$work/boot.fat" "$kernel" ::vmlinuz
mcopy -i "$work/boot.fat" "$initrd" ::initrd.img
mcopy -i "$work/boot.fat" "$work/syslinux.cfg" ::
syslinux --install "$work/boot.fat"

rm -f "$output"
truncate -s "$((1 + mib + $(stat -c %s "$filesystem") / 1048576))M" "$output"
printf 'label: dos\n2048,%sM,c,*\n%s,,83\n' "$mib" "$(((1 + mib) * 2048))" | sfdisk -q "$output"
dd if=/usr/lib/syslinux/mbr/mbr.bin of="$output" bs=440 count=1 conv=notrunc status=none
dd if="$work/boot.fat" of="$output" bs=1M seek=1 conv=notrunc,sparse status=none
dd if="$filesystem" of="$output" bs=1M seek=$((1 + mib)) conv=notrunc,sparse status=none
