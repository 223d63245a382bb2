#!/usr/bin/env bash
# Fuzzes every parser of stored bytes, guided by coverage: ./fuzz.sh [TARGET|all] [INPUTS] [MINUTES per target] [SEED]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
dotnet build tests/Strongroom.Store.Fuzz -c Release -v quiet -nologo
dotnet tool restore >/dev/null
folder=artifacts/fuzz
rm -rf $folder && cp -r artifacts/bin/Strongroom.Store.Fuzz/release $folder
dotnet tool run sharpfuzz $folder/Strongroom.Store.dll
exec $folder/Strongroom.Store.Fuzz --fuzz "${1:-all}" "${2:-10000000}" "${3:-60}" "${4:-1}"
