#!/usr/bin/env bash
# The az CLI of Debian 13 (2.74) in a folder of its own, for a machine whose own az is older.
#
#   debian13.sh prepare    makes the folder once (1.8 GB, about 2 minutes; kept between runs)
#   debian13.sh path       prints the folder; status 1 where there is none
#   debian13.sh mirror     prints the package mirror it would use
#
# The folder lies below $STRONGROOM_CACHE (default: ~/.cache/strongroom). Packages come from the mirror of the
# machine's own apt sources.
set -euo pipefail

cache=${STRONGROOM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/strongroom}
folder=$cache/azure-cli-debian13
suite=trixie

mirror() {
  local line
  # deb822 files first ("URIs:" of a stanza whose suites are not the security archive's), then one-line sources.
  line=$(cat /etc/apt/sources.list.d/*.sources 2>/dev/null | awk '
    tolower($1) == "uris:" { uri = $2 }
    tolower($1) == "suites:" && $2 !~ /\// && $2 !~ /security/ && uri ~ /debian\/?$/ { print uri; exit }') || true
  if [ -z "$line" ]; then
    line=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
      awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^https?:.*debian\/?$/) { print $i; exit } }') || true
  fi
  [ -n "$line" ] && echo "$line"
}

ready() { [ -x "$folder/usr/bin/az" ] && [ -f "$folder/.complete" ]; }

case ${1:-} in
  path) ready && echo "$folder" ;;
  mirror) mirror ;;
  prepare)
    ready && exit 0
    [ "$(id -u)" -eq 0 ] || { echo 'debian13.sh: needs root for chroot' >&2; exit 1; }
    command -v mmdebstrap >/dev/null || { echo 'debian13.sh: mmdebstrap is not installed' >&2; exit 1; }
    source=$(mirror) || { echo 'debian13.sh: no Debian mirror in the apt sources' >&2; exit 1; }
    mkdir -p "$cache"
    # Made beside the final place and renamed, so that an interrupted run leaves nothing that looks finished.
    partial=$(mktemp -d "$folder.partial.XXXXXX")
    trap 'rm -rf --one-file-system "$partial"' EXIT
    echo "Making the folder with az of Debian 13 in $folder (once)"
    if ! timeout 900 mmdebstrap --quiet --variant=minbase --include=azure-cli,ca-certificates "$suite" "$partial" "$source" \
        >"$cache/azure-cli-debian13.log" 2>&1 </dev/null; then
      tail -n 5 "$cache/azure-cli-debian13.log" >&2
      exit 1
    fi
    touch "$partial/.complete"
    rm -rf --one-file-system "$folder"
    mv "$partial" "$folder"
    chmod 755 "$folder"
    trap - EXIT
    ;;
  *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
