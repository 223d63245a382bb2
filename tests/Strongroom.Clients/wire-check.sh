#!/usr/bin/env bash
# Plays the stories of az, of the Node SDK and of Terraform through a validating proxy and reports what breaks the API description.
#
#   tests/Strongroom.Clients/wire-check.sh PROXY.mjs SPECS [REPORTS]
#
# PROXY.mjs   the proxy's script, its packages installed; docs/testing.md says what it has to understand
# SPECS       the folder with the API description (specification/...)
# REPORTS     where the reports go (default: artifacts/wire-check)
#
# A client that is missing fails its story: what was not played would look like what broke nothing.
#
# Exit status: 0 when every story passes and no exchange breaks the description or is not in it, but for the
# differences that are explained below.
set -uo pipefail
[ $# -ge 2 ] || { sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 2; }
proxy=$(realpath "$1") specs=$(realpath "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
reports=$(realpath -m "${3:-artifacts/wire-check}")
mkdir -p "$reports"
rm -f "$reports"/report-*.json "$reports"/exchanges-*.jsonl

# The recovery script's tunnel is no exchange of the API, and does not go through the proxy; what az sends for it is in the recovery story.
dotnet build tests/Strongroom.Clients -c Release -v quiet -nologo || exit 1
STRONGROOM_REQUIRE_PEERS=1 STRONGROOM_WIRE_PROXY=$proxy STRONGROOM_WIRE_SPECS=$specs STRONGROOM_WIRE_REPORTS=$reports \
  artifacts/bin/Strongroom.Clients/release/Strongroom.Clients -noColor -class '*StoryTests' -class- '*FileRecoveryStoryTests'
stories=$?

node - "$reports" <<'JS'
const fs = require('node:fs'), path = require('node:path');
const folder = process.argv[2];
const files = fs.readdirSync(folder).filter(name => /^report-.*\.json$/.test(name));
// Where the service itself differs from its description, clients are served as the service serves them.
const explained = [
  { operation: 'GetOperationStatus', code: 'OBJECT_ADDITIONAL_PROPERTIES', word: 'percentComplete',
    why: "the service's own status of a vault operation has percentComplete; the path meant by the description is another one" },
  { operation: 'Vaults_Delete', code: 'INVALID_RESPONSE_CODE', word: "'200'",
    why: 'before api-version 2024-04-01 a vault is deleted at once and the answer is 200; the description compared with is that of 2024-04-01' },
  { operation: 'Vaults_Update', code: 'ENUM_CASE_MISMATCH', word: 'Enum does not match case', side: 'request',
    why: 'az sends the type of an identity in lower case' },
  { operation: 'ProtectedItems_CreateOrUpdate', code: 'READONLY_PROPERTY_NOT_ALLOWED_IN_REQUEST', word: 'cannot be sent in the request', side: 'request',
    why: "Terraform's azurerm sends friendlyName, virtualMachineId and workloadType" },
  ...['RecoveryPoints_List', 'RecoveryPoints_Get'].map(operation => ({ operation, code: 'OBJECT_ADDITIONAL_PROPERTIES', word: 'recoveryPointTierDetails',
    why: 'points of shares tell their tiers since api-version 2025-02-01; the description compared with is that of 2024-04-01' })),
  { operation: 'VaultCertificates_Create', code: 'INVALID_RESPONSE_CODE', word: "'400'", side: 'response',
    why: 'the description of this operation has no refusal' },
];
// URLs that the description does not have, and that clients follow or read all the same: tracking of a refresh and of a registration, a setting
// of Site Recovery, deleted vaults (described since 2026), and the list of operations, which is below no subscription.
const undescribed = [
  /\/backupFabrics\/Azure\/operationsStatus\/[^/]+ ->/, /\/replicationVaultSettings\/default ->/, /\/locations\/[^/]+\/deletedVaults(\/.*)? ->/,
  /^GET \/providers\/Microsoft\.RecoveryServices\/operations ->/,
];
const reason = (name, v) => explained.find(e => e.operation === name && e.code === v.code && v.message.includes(e.word) && v.side === (e.side ?? v.side))?.why;
let exchanges = 0, violations = 0, strangers = 0;
const operations = new Map(), unknown = new Map();
for (const file of files) {
  const report = JSON.parse(fs.readFileSync(path.join(folder, file)));
  exchanges += report.exchanges;
  for (const [name, entry] of Object.entries(report.byOperation)) {
    const sum = operations.get(name) ?? { exchanges: 0, found: new Map() };
    sum.exchanges += entry.exchanges;
    for (const v of entry.violations) {
      const why = reason(name, v);
      if (!why) violations++;
      const key = `${why ? 'explained: ' : ''}${v.side} ${v.status} ${v.code}: ${v.message} ${v.at ?? ''}${why ? ` (${why})` : ''}`;
      sum.found.set(key, (sum.found.get(key) ?? 0) + 1);
    }
    operations.set(name, sum);
  }
  for (const [name, count] of Object.entries(report.unknown)) unknown.set(name, (unknown.get(name) ?? 0) + count);
}
for (const [name, sum] of [...operations].sort()) {
  console.log(`${name}: ${sum.exchanges} exchanges`);
  for (const [text, count] of sum.found) console.log(`    ${count} x ${text}`);
}
for (const [name, count] of unknown) {
  const known = undescribed.some(pattern => pattern.test(name));
  if (!known) strangers++;
  console.log(`${known ? 'explained: ' : ''}no such operation: ${count} x ${name}`);
}
console.log(`${files.length} servers, ${exchanges} exchanges, ${operations.size} operations, ${violations} violations, ${strangers} unknown paths`);
process.exit(violations || strangers || !files.length ? 1 : 0);
JS
wire=$?
[ $stories -eq 0 ] && [ $wire -eq 0 ]
