#!/usr/bin/env bash
# A raw disk that a PC's BIOS boots by itself: MBR, a FAT partition with syslinux, a kernel and an initramfs, and an ext4
# partition with a file. Once booted it prints "BOOTED" and the file's SHA-256 on its serial port and switches itself off.
#
#   boot-disk.sh GUEST OUTPUT     GUEST: the folder of guest.sh; prints the SHA-256 of the file
#
# Nothing is mounted, so no root is needed. 128 MiB.
set -euo pipefail
guest=$1 output=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A second archive after the first: its init takes the place of the first one's.
mkdir "$work/initrd" "$work/files"
cat >"$work/initrd/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
while read -r module; do /bin/busybox insmod "/$module"; done </order
while [ ! -b /dev/vda2 ]; do /bin/busybox sleep 0.1; done
# The journal may be replayed: whoever boots this disk gives it somewhere to write.
/bin/busybox mount -t ext4 /dev/vda2 /root
echo "BOOTED $(/bin/busybox sha256sum /root/proof | /bin/busybox cut -c1-64)" >/dev/console
/bin/busybox umount /root
/bin/busybox poweroff -f
INIT
chmod 755 "$work/initrd/init"
(cat "$guest/initrd"; cd "$work/initrd" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd.img"

head -c 20000000 /dev/urandom >"$work/files/proof"
mke2fs -q -t ext4 -d "$work/files" "$work/root.ext4" 48M >&2
truncate -s 72M "$work/boot.fat"
mkfs.vfat -n BOOT "$work/boot.fat" >/dev/null
printf 'DEFAULT l\nPROMPT 0\nLABEL l\n KERNEL vmlinuz\n INITRD initrd.img\n APPEND console=ttyS0 quiet panic=-1\n' >"$work/syslinux.cfg"
mcopy -i "$work/boot.fat" "$guest/vmlinuz" "$work/initrd.img" "$work/syslinux.cfg" ::
syslinux --install "$work/boot.fat"

rm -f "$output"
truncate -s 128M "$output"
printf 'label: dos\n2048,72M,c,*\n149504,48M,83\n' | sfdisk -q "$output"
dd if=/usr/lib/syslinux/mbr/mbr.bin of="$output" bs=440 count=1 conv=notrunc status=none
dd if="$work/boot.fat" of="$output" bs=1M seek=1 conv=notrunc,sparse status=none
dd if="$work/root.ext4" of="$output" bs=1M seek=73 conv=notrunc,sparse status=none
sha256sum <"$work/files/proof" | cut -d' ' -f1
