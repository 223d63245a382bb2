#!/usr/bin/env bash
# Fuzzes every parser of stored bytes, and what the iSCSI target makes of its initiators and the NBD client of its servers, guided by coverage: ./fuzz.sh [TARGET|all] [INPUTS] [MINUTES per target] [SEED]
# FUZZ_JOBS targets at a time (2). Inputs that went new ways stay in artifacts/fuzz/corpus and are the beginning of the next run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
dotnet build tests/Strongroom.Store.Fuzz -c Release -v quiet -nologo
dotnet tool restore >/dev/null
folder=artifacts/fuzz
rm -rf $folder/bin && mkdir -p $folder && cp -r artifacts/bin/Strongroom.Store.Fuzz/release $folder/bin
dotnet tool run sharpfuzz $folder/bin/Strongroom.Store.dll
dotnet tool run sharpfuzz $folder/bin/Strongroom.Blocks.dll Strongroom.Blocks.Iscsi Strongroom.Blocks.Nbd
program=$folder/bin/Strongroom.Store.Fuzz
if [ "${1:-all}" = all ]; then $program --targets; else echo "$1"; fi |
    xargs -P "${FUZZ_JOBS:-2}" -I{} $program --fuzz {} "${2:-10000000}" "${3:-60}" "${4:-1}" $folder/corpus
