#!/usr/bin/env bash
# A disk that a PC's BIOS boots by itself, for virtual machines that are backed up while they run: MBR, a FAT partition with
# syslinux, a kernel and an initramfs that is the whole system, and an ext4 partition that is mounted at /data.
#
#   live-guest.sh prepare    makes it once (a few seconds; kept between runs); needs the guest of guest.sh
#   live-guest.sh path       prints its folder; status 1 where there is none
#
# In the folder: boot.raw (256 MiB, sparse). In the system: busybox, QEMU's guest agent, a login prompt on the screen (tty1)
# and on the serial port (ttyS0), and the programs in root/bin. What it needs beside the guest of guest.sh is unpacked from the
# package qemu-guest-agent, which is not installed; its libraries are those of QEMU on this machine.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
guests=$here/../../Strongroom.Clients/Guests
cache=${STRONGROOM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/strongroom}

folder() {
  local base
  base=$("$guests/guest.sh" path) || return 1
  echo "$cache/live-guest-$( (cat "$here/live-guest.sh" "$guests/bootable.sh"; cd "$here/root" && find . -type f | sort | xargs cat; basename "$base") | sha256sum | cut -c1-12)"
}

# A program and the libraries that it is linked with.
add_program() {
  local program=$1 root=$2 path=$3 library
  install -D "$program" "$root/$path"
  for library in $(ldd "$program" | grep -oE '/[^ )]+'); do install -D "$library" "$root/$library"; done
}

make() {
  local base=$1 work=$2 version module file
  mkdir "$work/root" "$work/files"
  (cd "$work" && apt-get download -qq qemu-guest-agent && dpkg-deb -x ./qemu-guest-agent_*.deb agent) >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; exit 1; }
  cp -a "$here/root/." "$work/root/"
  if ldd "$work/agent/usr/sbin/qemu-ga" | grep -F 'not found' >&2; then exit 1; fi
  add_program "$work/agent/usr/sbin/qemu-ga" "$work/root" sbin/qemu-ga
  version=$(debugfs -R 'ls -p /lib/modules' "$base/root.ext4" 2>/dev/null | cut -d/ -f6 | grep '^[0-9]')
  # What is depended on first.
  for module in drivers/char/virtio_console net/core/failover drivers/net/net_failover drivers/net/virtio_net; do
    file=$work/root/${module##*/}.ko
    debugfs -R "dump /lib/modules/$version/kernel/$module.ko $file" "$base/root.ext4" 2>/dev/null
    [ -s "$file" ] || { echo "live-guest.sh: the guest has no $module.ko" >&2; exit 1; }
    echo "${file##*/}" >>"$work/root/order.live"
  done
  # A second archive after the first: its init takes the place of the first one's.
  (cat "$base/initrd"; cd "$work/root" && find . | cpio -o -H newc --quiet -R 0:0 | gzip -1) >"$work/initrd.img"
  mke2fs -q -t ext4 -L data -d "$work/files" -E root_owner=0:0 "$work/data.ext4" 192M >/dev/null
  mkdir "$work/out"
  "$guests/bootable.sh" "$work/out/boot.raw" "$base/vmlinuz" "$work/initrd.img" 'console=tty1 console=ttyS0 quiet panic=-1 mitigations=off' 63 "$work/data.ext4"
}

prepare() {
  local target base tool
  base=$("$guests/guest.sh" path) || { echo 'live-guest.sh: needs the guest of guest.sh' >&2; exit 1; }
  target=$(folder)
  [ -f "$target/boot.raw" ] && exit 0
  for tool in apt-get dpkg-deb cpio debugfs mke2fs mkfs.vfat mcopy syslinux sfdisk; do
    command -v "$tool" >/dev/null || { echo "live-guest.sh: $tool is not installed" >&2; exit 1; }
  done
  # Made beside the final place and renamed, so that an interrupted run leaves nothing that looks finished.
  partial=$(mktemp -d "$target.partial.XXXXXX")
  trap 'rm -rf --one-file-system "$partial"' EXIT
  echo "Making a live guest in $target (once)"
  make "$base" "$partial"
  rm -rf "$target"
  mv "$partial/out" "$target"
}

export PATH=$PATH:/usr/sbin:/sbin
case ${1:-} in
  path) target=$(folder) && [ -f "$target/boot.raw" ] && echo "$target" ;;
  prepare) prepare ;;
  *) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
