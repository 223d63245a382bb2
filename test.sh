#!/usr/bin/env bash
# Builds everything and runs every test project. See docs/testing.md.
#
#   ./test.sh                        install what the tests need, build, check the format, run all tests
#   ./test.sh --quick                without installing and without the format check
#   ./test.sh --no-install           without installing
#   ./test.sh --filter PROJECT       only test projects whose name contains PROJECT (repeatable)
#
# The last line is "N passed, N failed, N skipped"; the exit status is 1 if anything failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

install=1 format=1 filters=()
while [ $# -gt 0 ]; do
  case $1 in
    --quick) install=0 format=0 ;;
    --no-install) install=0 ;;
    --filter) filters+=("${2:?--filter wants a part of a project name}"); shift ;;
    -h|--help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "test.sh: unknown option $1 (--help lists them)" >&2; exit 2 ;;
  esac
  shift
done

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 MSBUILDDISABLENODEREUSE=1
results=artifacts/test-results
mkdir -p "$results"
rm -f "$results"/*.log "$results"/*.trx "$results"/*.status "$results"/*.png "$results"/*.status

passed=0 failed=0 skipped=0 problems=()

say() { printf '\n== %s\n' "$*"; }

finish() {
  if [ ${#problems[@]} -gt 0 ]; then
    say 'What failed'
    printf '  %s\n' "${problems[@]}"
  fi
  echo
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] && [ ${#problems[@]} -eq 0 ]
  exit
}

# A step outside the test projects (build, format) counts as one failed test when it fails.
fail_step() { problems+=("$1"); failed=$((failed + 1)); }

wanted() {
  [ ${#filters[@]} -eq 0 ] && return 0
  local filter
  for filter in "${filters[@]}"; do [[ $1 == *"$filter"* ]] && return 0; done
  return 1
}

# ---- what the tests need ------------------------------------------------------------------------------------------
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi; }

node_is_new_enough() {
  command -v node >/dev/null && command -v npm >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ]
}

install_packages() {
  local packages=() guestfs
  guestfs=/usr/lib/$(uname -m)-linux-gnu/guestfs/supermin.d
  command -v az >/dev/null || packages+=(azure-cli)
  command -v qemu-img >/dev/null && command -v qemu-nbd >/dev/null || packages+=(qemu-utils)
  command -v nbdinfo >/dev/null && command -v nbdcopy >/dev/null || packages+=(libnbd-bin)
  command -v nbdkit >/dev/null || packages+=(nbdkit)
  command -v iscsi-test-cu >/dev/null || packages+=(libiscsi-bin)
  find /usr/lib -maxdepth 3 -name block-iscsi.so 2>/dev/null | grep -q . || packages+=(qemu-block-extra)
  command -v mke2fs >/dev/null || [ -x /usr/sbin/mke2fs ] || packages+=(e2fsprogs)
  command -v mmdebstrap >/dev/null || packages+=(mmdebstrap)
  command -v qemu-system-x86_64 >/dev/null || packages+=(qemu-system-x86)
  command -v syslinux >/dev/null && [ -e /usr/lib/syslinux/mbr/mbr.bin ] || packages+=(syslinux syslinux-common)
  command -v mcopy >/dev/null || packages+=(mtools)
  command -v mkfs.vfat >/dev/null || [ -x /usr/sbin/mkfs.vfat ] || packages+=(dosfstools)
  command -v sfdisk >/dev/null || [ -x /usr/sbin/sfdisk ] || packages+=(fdisk)
  command -v python3 >/dev/null || packages+=(python3)
  command -v cpio >/dev/null || packages+=(cpio)
  command -v modprobe >/dev/null || [ -x /usr/sbin/modprobe ] || packages+=(kmod)
  if wanted Strongroom.Store.S3.Tests; then
    command -v radosgw >/dev/null && command -v ceph-mon >/dev/null && command -v ceph-osd >/dev/null || packages+=(radosgw ceph-mon ceph-osd)
  fi
  if wanted Strongroom.Workloads.Tests || wanted Strongroom.Clients; then
    command -v mkfs.btrfs >/dev/null || [ -x /usr/sbin/mkfs.btrfs ] || packages+=(btrfs-progs)
  fi
  if wanted Strongroom.Workloads.Tests; then
    command -v mkfs.xfs >/dev/null || [ -x /usr/sbin/mkfs.xfs ] || packages+=(xfsprogs)
    [ -x /usr/sbin/mkfs.ntfs ] || packages+=(ntfs-3g)
    command -v smbclient >/dev/null && command -v smbcacls >/dev/null || packages+=(smbclient)
    command -v ip >/dev/null || [ -x /usr/sbin/ip ] || packages+=(iproute2)
    # A service that lets people in: for continuous integration, not for somebody's own machine.
    command -v smbd >/dev/null || [ -x /usr/sbin/smbd ] || [ "${STRONGROOM_REQUIRE_PEERS:-}" != 1 ] || packages+=(samba samba-vfs-modules)
  fi
  if wanted Strongroom.Clients; then
    command -v guestfish >/dev/null || packages+=(guestfish)
    [ -f "$guestfs/packages" ] || packages+=(libguestfs0)
    [ -f "$guestfs/packages-xfs" ] || packages+=(libguestfs-xfs)
  fi
  if wanted Strongroom.Libvirt || wanted Strongroom.Bench.Tests; then
    command -v libvirtd >/dev/null || [ -x /usr/sbin/libvirtd ] || packages+=(libvirt-daemon-system)
    command -v virsh >/dev/null || packages+=(libvirt-clients)
    find /usr/lib -maxdepth 4 -name libvirt_driver_qemu.so 2>/dev/null | grep -q . || packages+=(libvirt-daemon-driver-qemu)
    command -v virtnbdbackup >/dev/null || packages+=(virtnbdbackup)
    # A service that lets people in: for continuous integration, not for somebody's own machine.
    command -v sshd >/dev/null || [ -x /usr/sbin/sshd ] || [ "${STRONGROOM_REQUIRE_PEERS:-}" != 1 ] || packages+=(openssh-server)
  fi
  node_is_new_enough || packages+=(nodejs npm)
  [ ${#packages[@]} -eq 0 ] && return 0
  if ! command -v apt-get >/dev/null || ! as_root true 2>/dev/null; then
    echo "Missing and not installable from here: ${packages[*]} (the tests that need them are skipped)"
    return 0
  fi
  say "Installing ${packages[*]}"
  { as_root apt-get update -qq &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"; } \
      >"$results/apt.log" 2>&1 || { tail -n 5 "$results/apt.log"; echo 'apt-get failed; going on with what is here'; }
}

# libguestfs starts a kernel, which a container has none of. Unpacked and not installed: no initrd is made and no boot loader is touched.
unpack_kernel() {
  ls /boot/vmlinuz-* >/dev/null 2>&1 && ls -d /lib/modules/*/ >/dev/null 2>&1 && return 0
  command -v apt-get >/dev/null && as_root true 2>/dev/null || return 0
  say 'Unpacking a kernel for libguestfs'
  local folder package
  folder=$(mktemp -d)
  package=$(apt-cache depends "linux-image-cloud-$(dpkg --print-architecture)" | sed -n 's/^ *Depends: //p' | head -n 1)
  { (cd "$folder" && apt-get download -qq "$package" && dpkg-deb -x ./*.deb kernel) &&
    as_root mkdir -p /boot /lib/modules && as_root cp -a "$folder"/kernel/boot/vmlinuz-* /boot/ &&
    as_root cp -a "$folder"/kernel/lib/modules/. /lib/modules/ && as_root depmod "$(ls "$folder/kernel/lib/modules")"; } >>"$results/apt.log" 2>&1 ||
    { tail -n 5 "$results/apt.log"; echo 'There is no kernel for libguestfs; going on without'; }
  rm -rf "$folder"
}

install_node_packages() {
  node_is_new_enough || return 0
  local folder=tests/$1/node
  [ -f $folder/node_modules/.package-lock.json ] && [ ! $folder/package-lock.json -nt $folder/node_modules/.package-lock.json ] && return 0
  say "npm ci ($1)"
  (cd $folder && npm ci --no-audit --no-fund --loglevel=error </dev/null) >"$results/npm-$1.log" 2>&1 ||
    { tail -n 20 "$results/npm-$1.log"; echo "npm ci failed; going on without what $1 needs of it"; }
}

if [ $install -eq 1 ]; then
  install_packages
  for project in Strongroom.Store.AzureBlob.Tests Strongroom.Store.S3.Tests; do
    wanted "$project" && install_node_packages "$project"
  done
  if wanted Strongroom.Clients; then
    unpack_kernel
    install_node_packages Strongroom.Clients
    tests/Strongroom.Clients/debian13.sh prepare || echo 'az of Debian 13 is not available; its tests are skipped'
  fi
  if wanted Strongroom.Clients || wanted Strongroom.Libvirt || wanted Strongroom.Bench.Tests; then
    tests/Strongroom.Clients/Guests/guest.sh prepare || echo 'There is no guest; the tests that need one are skipped'
  fi
  if wanted Strongroom.Libvirt || wanted Strongroom.Bench.Tests; then
    tests/Strongroom.Libvirt/Guests/live-guest.sh prepare || echo 'There is no live guest; the tests that need one are skipped'
  fi
fi

# ---- build --------------------------------------------------------------------------------------------------------
say 'dotnet build -c Release (warnings are errors)'
# The compiler stays for the next project, which halves the time, and is sent away in the end.
dotnet build Strongroom.slnx -c Release -v quiet -nologo -p:TreatWarningsAsErrors=true -p:UseSharedCompilation=true </dev/null >"$results/build.log" 2>&1
built=$?
dotnet build-server shutdown --vbcscompiler </dev/null >>"$results/build.log" 2>&1
if [ $built -ne 0 ]; then
  grep -E 'error|warning' "$results/build.log" | sort -u | head -n 40
  fail_step "the build (all of it: $results/build.log)"
  finish
fi

# Beside the tests, in the time that they leave: much of theirs is waiting.
if [ $format -eq 1 ]; then
  nice -n 19 dotnet format Strongroom.slnx --verify-no-changes --no-restore </dev/null >"$results/format.log" 2>&1 &
  format_process=$!
fi

# ---- tests --------------------------------------------------------------------------------------------------------
# Seconds a test project may take before it is ended and counted as failed.
limit_seconds() { case $1 in Strongroom.Clients|Strongroom.Libvirt) echo 3600 ;; *) echo 900 ;; esac; }

# Runs a test project; what it came to is read by report_project.
run_project() {
  timeout --kill-after=10 "$(limit_seconds "$1")" "artifacts/bin/$1/release/$1" -noColor -trx "$results/$1.trx" </dev/null >"$results/$1.log" 2>&1 &
  running=$!
  wait "$running"
  echo $? >"$results/$1.status.new" && mv "$results/$1.status.new" "$results/$1.status"
}

report_project() {
  local name=$1 log=$results/$1.log status total errors bad skip
  status=$(cat "$results/$name.status")
  say "$name"
  # Progress lines are noise; failures and skips are what a reader wants.
  # Frames of the framework say nothing either; the log has them.
  grep -vE '^ *(xUnit\.net v3|Discover(ing|ed):|Starting:|Finished:|=== TEST EXECUTION SUMMARY)|^$|^ +at (Microsoft|System|Xunit)\.|^ +--- End of stack trace' "$log" |
    awk -v most=200 'NR <= most { print } NR > most { last = $0 } END { if (NR > most) { print "  ... " NR - most " more lines (" log_file ")"; print last } }' log_file="$log" -

  local summary
  summary=$(grep -oE 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+' "$log" | tail -n 1)
  if [ -z "$summary" ]; then
    local reason="ended with status $status before its summary"
    grep -qE 'Total: 0$' "$log" && reason='ran no test'
    [ $status -eq 124 ] || [ $status -eq 137 ] && reason="took longer than $(limit_seconds "$name") s"
    fail_step "$name $reason (all of it: $log)"
    return
  fi
  read -r total errors bad skip <<<"$(tr -dc '0-9 ' <<<"$summary")"
  failed=$((failed + bad + errors)) skipped=$((skipped + skip)) passed=$((passed + total - bad - skip))
  if [ $((bad + errors)) -gt 0 ]; then
    # With the begin of what each says: the last screen of a run shows why it failed.
    while IFS= read -r line; do problems+=("$line"); done < <(awk -v name="$name" -v most=15 '
      / \[FAIL\]$/ { sub(/^ +/, ""); sub(/ \[FAIL\]$/, ""); print name ": " $0; left = most; next }
      left > 0 && /^      / { if ($0 !~ /^ +at (Microsoft|System|Xunit)\./ && $0 !~ /^ +--- End of stack trace/) { print substr($0, 1, 300); left-- } next }
      { left = 0 }' "$log")
    [ $errors -gt 0 ] && problems+=("$name: $errors errors outside a test ($log)")
  elif [ $status -ne 0 ]; then
    fail_step "$name ended with status $status"
  fi
}

# Two at a time, those that take longest first: much of their time they wait for machines and clients.
projects=()
for name in Strongroom.Clients Strongroom.Libvirt Strongroom.Api.Tests Strongroom.Cli.Tests; do wanted "$name" && projects+=("$name"); done
for project in tests/*/*.csproj; do
  name=$(basename "$project" .csproj)
  wanted "$name" && [[ " ${projects[*]} " != *" $name "* ]] && projects+=("$name")
done
queue=$results/queue.status
printf '%s\n' "${projects[@]}" >"$queue"
run_queue() {
  local name running=
  trap '[ -z "$running" ] || kill "$running" 2>/dev/null; exit 130' TERM
  while name=$(flock "$queue.lock.status" sh -c 'head -n 1 "$1" && sed -i 1d "$1"' sh "$queue") && [ -n "$name" ]; do run_project "$name"; done
}
run_queue & queues=$!
run_queue & queues+=" $!"
trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM
for name in "${projects[@]}"; do
  until [ -f "$results/$name.status" ]; do sleep 1; done
  report_project "$name"
done
wait $queues
if [ $format -eq 1 ]; then
  say 'dotnet format --verify-no-changes'
  if ! wait $format_process; then
    grep -E 'error|warning' "$results/format.log" | head -n 40
    fail_step "the format (dotnet format mends it; $results/format.log)"
  fi
fi
[ $((passed + failed)) -eq 0 ] && fail_step 'no test project ran'
finish
