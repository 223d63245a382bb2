#!/usr/bin/env bash
# A small Debian machine for tests that need a kernel of their own: iSCSI, LVM, and file systems that are mounted.
#
#   guest.sh prepare    makes it once (300 MB, about 90 seconds; kept between runs)
#   guest.sh path       prints its folder; status 1 where there is none
#
# In the folder: vmlinuz, initrd (virtio and ext4, nothing else), root.ext4. The root holds Debian without systemd:
# guest-init is process 1 and guest-agent.py carries out what the test sends over a virtio port.
# Packages come from the mirror of the machine's own apt sources. The folder's name has a hash of what made it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${STRONGROOM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/strongroom}
suite=bookworm
packages=python3,ca-certificates,sudo,open-iscsi,lvm2,mdadm,e2fsprogs,xfsprogs,btrfs-progs,ntfs-3g,dosfstools,fdisk,udev,kmod,procps,iproute2,busybox-static,linux-image-cloud-amd64
folder=$cache/guest-$(cat "$here/guest.sh" "$here/guest-init" "$here/guest-agent.py" | sha256sum | cut -c1-12)

ready() { [ -f "$folder/root.ext4" ]; }

# What the kernel needs before it can read its root.
make_initrd() {
  local root=$1 output=$2 version tree module file
  version=$(ls "$root/lib/modules")
  tree=$(mktemp -d -p "$partial")
  mkdir -p "$tree"/{bin,dev,proc,sys,root}
  cp "$root/usr/bin/busybox" "$tree/bin/busybox"
  for module in virtio_pci virtio_blk ext4; do
    # Lines are "insmod PATH" or "builtin NAME", what is depended on first.
    modprobe --dirname "$root" --set-version "$version" --show-depends "$module" |
      awk '$1 == "insmod" { print $2 }'
  done | awk '!seen[$0]++' >"$partial/modules"
  while read -r file; do
    case $file in
      *.xz) xz -dc "$file" >"$tree/$(basename "$file" .xz)" ; basename "$file" .xz ;;
      *.zst) zstd -qdc "$file" >"$tree/$(basename "$file" .zst)" ; basename "$file" .zst ;;
      *) cp "$file" "$tree/"; basename "$file" ;;
    esac
  done <"$partial/modules" >"$tree/order"
  cat >"$tree/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
while read -r module; do /bin/busybox insmod "/$module"; done </order
while [ ! -b /dev/vda ]; do /bin/busybox sleep 0.1; done
/bin/busybox mount -t ext4 -o noatime /dev/vda /root
/bin/busybox umount /proc
/bin/busybox mount -o move /dev /root/dev
exec /bin/busybox switch_root /root /guest-init
INIT
  chmod 755 "$tree/init"
  (cd "$tree" && find . | cpio -o -H newc --quiet | gzip -1) >"$output"
}

prepare() {
  local source tool
  [ "$(id -u)" -eq 0 ] || { echo 'guest.sh: needs root for chroot' >&2; exit 1; }
  for tool in mmdebstrap cpio mke2fs modprobe; do
    command -v "$tool" >/dev/null || { echo "guest.sh: $tool is not installed" >&2; exit 1; }
  done
  source=$("$here/../debian13.sh" mirror) || { echo 'guest.sh: no Debian mirror in the apt sources' >&2; exit 1; }
  mkdir -p "$cache"
  # Made beside the final place and renamed, so that an interrupted run leaves nothing that looks finished.
  partial=$(mktemp -d "$folder.partial.XXXXXX")
  trap 'rm -rf --one-file-system "$partial"' EXIT
  echo "Making a guest in $folder (once)"
  if ! timeout 900 mmdebstrap --quiet --variant=minbase --include="$packages" \
      --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
      "$suite" "$partial/tree" "$source" >"$cache/guest.log" 2>&1 </dev/null; then
    tail -n 5 "$cache/guest.log" >&2
    exit 1
  fi
  install -m 755 "$here/guest-init" "$here/guest-agent.py" "$partial/tree/"
  echo guest >"$partial/tree/etc/hostname"
  echo '127.0.0.1 localhost guest' >"$partial/tree/etc/hosts"
  echo 'InitiatorName=iqn.2026-01.example:guest' >"$partial/tree/etc/iscsi/initiatorname.iscsi"
  mkdir -p "$partial/out"
  cp "$partial/tree"/boot/vmlinuz-* "$partial/out/vmlinuz"
  make_initrd "$partial/tree" "$partial/out/initrd"
  rm -rf "$partial/tree"/boot/*
  mke2fs -q -t ext4 -O ^has_journal -d "$partial/tree" -E root_owner=0:0 "$partial/out/root.ext4" 1G
  rm -rf "$folder"
  mv "$partial/out" "$folder"
}

case ${1:-} in
  path) ready && echo "$folder" ;;
  prepare) ready || prepare ;;
  *) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
