#!/bin/sh
# Runs in the guest: turns seven blank disks (vdb to vdh, 768 MiB each) into those of a machine, and prints a line for
# each file in them: "VOLUME SHA-256 PATH". Only what a real kernel and its tools make is sure to be as on real machines.
#
#   vdb  GPT: ext4 "root", xfs "data", swap, FAT "EFI", and a partition of noise
#   vdc  LVM: volume group vg0 with ext4 "logs" and xfs "www"
#   vdd  btrfs "pool" on the whole disk
#   vde  MBR: NTFS "Windows"; in an extended one ext4 "old"
#   vdg, vdh  a GPT each: ext4 "mirror" on an md array of both; ext4 "span" on the volume group "two" of both;
#             btrfs "pair" of both
#   vdf  ext4 "dirty" on the whole disk, never unmounted: its newest files are in the journal only
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
mnt=/run/make

fill() { # VOLUME: files of many kinds and lengths in $mnt
  mkdir -p "$mnt/deep/folder"
  echo "This is $1" >"$mnt/hello.txt"
  : >"$mnt/empty"
  head -c 3000000 /dev/urandom >"$mnt/random.bin"
  seq 1 20000 >"$mnt/deep/folder/numbers"
  echo 'ünï' >"$mnt/deep/späce and ümlaut.txt"
  (cd "$mnt" && find . -type f ! -path './lost+found/*' | sort | while read -r file; do
    printf '%s %s %s\n' "$1" "$(sha256sum <"$file" | cut -d' ' -f1)" "$file"
  done)
}

volume() { # VOLUME DEVICE [TYPE]
  mount ${3:+-t "$3"} "$2" "$mnt" >&2
  fill "$1"
  umount "$mnt"
}

mkdir -p "$mnt"
{
  printf 'label: gpt\nsize=128M\nsize=310M\nsize=16M,type=S\nsize=64M,type=U\nsize=16M\n' | sfdisk -q /dev/vdb
  printf 'label: dos\nsize=128M,type=7\ntype=5\nsize=64M,type=83\n' | sfdisk -q /dev/vde
  udevadm settle
  mkfs.ext4 -q -L root /dev/vdb1
  mkfs.xfs -q -L data /dev/vdb2
  mkswap -L swap /dev/vdb3
  mkfs.vfat -n EFI /dev/vdb4
  head -c 16M /dev/urandom >/dev/vdb5
  pvcreate -q /dev/vdc
  vgcreate -q vg0 /dev/vdc
  lvcreate -q -y -n logs -L 100M vg0
  lvcreate -q -y -n www -L 320M vg0
  mkfs.ext4 -q -L logs /dev/vg0/logs
  mkfs.xfs -q -L www /dev/vg0/www
  mkfs.btrfs -q -L pool /dev/vdd
  mkntfs -q -Q -L Windows /dev/vde1
  mkfs.ext4 -q -L old /dev/vde5
  mkfs.ext4 -q -L dirty /dev/vdf
  for disk in /dev/vdg /dev/vdh; do printf 'label: gpt\nsize=100M\nsize=80M\nsize=200M\n' | sfdisk -q "$disk"; done
  udevadm settle
  mdadm --quiet --create /dev/md0 --run --level=1 --raid-devices=2 --metadata=1.2 /dev/vdg1 /dev/vdh1
  mkfs.ext4 -q -L mirror /dev/md0
  pvcreate -q /dev/vdg2 /dev/vdh2
  vgcreate -q two /dev/vdg2 /dev/vdh2
  lvcreate -q -y -n span -L 120M two
  mkfs.ext4 -q -L span /dev/two/span
  mkfs.btrfs -q -L pair /dev/vdg3 /dev/vdh3
  modprobe btrfs
  btrfs device scan /dev/vdg3 /dev/vdh3
} >&2
volume root /dev/vdb1
volume data /dev/vdb2
volume EFI /dev/vdb4
volume logs /dev/vg0/logs
volume www /dev/vg0/www
volume pool /dev/vdd
volume Windows /dev/vde1 ntfs-3g
volume old /dev/vde5
volume mirror /dev/md0
volume span /dev/two/span
volume pair /dev/vdg3
vgchange -q -an vg0 two >&2
mdadm --quiet --stop /dev/md0 >&2
sync
mount /dev/vdf "$mnt" >&2
fill dirty
sync -f "$mnt/hello.txt"
for device in vdb vdc vdd vde vdg vdh; do blockdev --flushbufs "/dev/$device"; done
