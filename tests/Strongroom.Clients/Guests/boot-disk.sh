#!/usr/bin/env bash
# A raw disk that a PC's BIOS boots by itself: MBR, a FAT partition with syslinux, a kernel and an initramfs, and an ext4
# partition with a file. Once booted it prints "BOOTED" and the file's SHA-256 on its serial port and switches itself off.
#
#   boot-disk.sh GUEST OUTPUT     GUEST: the folder of guest.sh; prints the SHA-256 of the file
#
# Nothing is mounted, so no root is needed. 121 MiB.
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
"$(dirname "${BASH_SOURCE[0]}")/bootable.sh" "$output" "$guest/vmlinuz" "$work/initrd.img" 'console=ttyS0 quiet panic=-1' 72 "$work/root.ext4"
sha256sum <"$work/files/proof" | cut -d' ' -f1
