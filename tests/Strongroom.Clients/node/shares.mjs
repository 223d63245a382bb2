// A file share by Azure's own SDK for JavaScript: registered, protected, backed up, restored and let go. The share's folder is
// STRONGROOM_MACHINES/docs, with a file plan.txt; a second share is beside it, spare. Environment as for story.mjs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { accepted, backup, collect, completed, fabric, group, groupId, jobOf, location, operationId, put, services, untilDone, vault, vaultId } from './lab.mjs';

const shares = process.env.STRONGROOM_MACHINES;
const account = `${groupId}/providers/Microsoft.Storage/storageAccounts/files1`;
const onlyShares = "backupManagementType eq 'AzureStorage'";
const quick = { updateIntervalInMs: 200 };
const ended = (job, operation) => completed(job, operation, 'AzureStorageJob', 'docs');

await put(`${groupId}?api-version=2021-04-01`, { location });
await put(`${groupId}/providers/Strongroom.Fabric/fileServers/files1?api-version=2026-11-01`, { location, properties: { kind: 'Local', sharesRoot: shares } });
await services.vaults.beginCreateOrUpdateAndWait(group, vault, { location, sku: { name: 'Standard' }, properties: { publicNetworkAccess: 'Enabled' } }, quick);
await backup.backupResourceVaultConfigs.update(vault, group, { properties: { softDeleteFeatureState: 'Disabled' } });
const at = new Date('2026-01-01T02:00:00Z');
const policy = await backup.protectionPolicies.createOrUpdate(vault, group, 'shares', {
  properties: {
    backupManagementType: 'AzureStorage', workLoadType: 'AzureFileShare', timeZone: 'UTC',
    schedulePolicy: { schedulePolicyType: 'SimpleSchedulePolicy', scheduleRunFrequency: 'Daily', scheduleRunTimes: [at] },
    vaultRetentionPolicy: {
      snapshotRetentionInDays: 5,
      vaultRetention: { retentionPolicyType: 'LongTermRetentionPolicy', dailySchedule: { retentionTimes: [at], retentionDuration: { count: 30, durationType: 'Days' } } },
    },
  },
});
assert.equal(policy.properties.vaultRetentionPolicy.snapshotRetentionInDays, 5);

await accepted(extra => backup.protectionContainers.refresh(vault, group, fabric, { filter: onlyShares, ...extra }));
const [found] = await untilDone('the discovery', async () => {
  const all = await collect(backup.protectableContainers.list(vault, group, fabric, { filter: onlyShares }));
  return all.length > 0 ? all : undefined;
});
assert.equal(found.properties.containerId, account);
const registered = await backup.protectionContainers.beginRegisterAndWait(vault, group, fabric, found.name,
  { properties: { containerType: 'StorageContainer', backupManagementType: 'AzureStorage', sourceResourceId: account } }, quick);
assert.equal(registered.properties.registrationStatus, 'Registered');
await accepted(extra => backup.protectionContainers.inquire(vault, group, fabric, found.name, { filter: "workloadType eq 'AzureFileShare'", ...extra }));
assert.equal((await collect(backup.backupProtectionContainers.list(vault, group, { filter: onlyShares })))[0].properties.protectedItemCount, 0);
const protectable = await collect(backup.backupProtectableItems.list(vault, group, { filter: onlyShares }));
assert.deepEqual(protectable.map(one => one.properties.friendlyName).sort(), ['docs', 'spare']);
const item = protectable.find(one => one.properties.friendlyName === 'docs').name;
assert.match(item, /^azurefileshare;[0-9a-f]{64}$/);

const enable = await accepted(extra => backup.protectedItems.createOrUpdate(vault, group, fabric, found.name, item,
  { properties: { protectedItemType: 'AzureFileShareProtectedItem', sourceResourceId: account, policyId: `${vaultId}/backupPolicies/shares` } }, extra));
await ended(await jobOf(enable), 'ConfigureBackup');
const run = await accepted(extra => backup.backups.trigger(vault, group, fabric, found.name, item,
  { properties: { objectType: 'AzureFileShareBackupRequest', recoveryPointExpiryTimeInUTC: new Date(Date.now() + 30 * 86400e3) } }, extra));
await ended(await jobOf(run), 'Backup');
const [point] = await collect(backup.recoveryPoints.list(vault, group, fabric, found.name, item));
assert.equal(point.properties.objectType, 'AzureFileShareRecoveryPoint');
assert.equal(point.properties.recoveryPointType, 'FileSystemConsistent');
assert.equal((await backup.protectedItems.get(vault, group, fabric, found.name, item)).properties.protectionState, 'Protected');

const restore = await backup.restores.beginTrigger(vault, group, fabric, found.name, item, point.name, {
  properties: {
    objectType: 'AzureFileShareRestoreRequest', recoveryType: 'AlternateLocation', restoreRequestType: 'ItemLevelRestore', copyOptions: 'FailOnConflict', sourceResourceId: account,
    restoreFileSpecs: [{ path: 'plan.txt', fileSpecType: 'File', targetFolderPath: 'back' }],
    targetDetails: { name: 'spare', targetResourceId: account },
  },
}, quick);
const id = operationId(JSON.parse(restore.toString()).state.config.operationLocation);
await restore.pollUntilDone();
const job = await ended(id, 'Restore');
assert.equal(job.properties.extendedInfo.propertyBag['Number Of Restored Files'], '1');
assert.equal(fs.readFileSync(path.join(shares, 'spare', 'back', 'plan.txt'), 'utf8'), fs.readFileSync(path.join(shares, 'docs', 'plan.txt'), 'utf8'));

await assert.rejects(backup.protectionContainers.unregister(vault, group, fabric, found.name), { code: 'BMSUserErrorContainerHasDatasources' });
await ended(await jobOf(await accepted(extra => backup.protectedItems.delete(vault, group, fabric, found.name, item, extra))), 'DeleteBackupData');
await accepted(extra => backup.protectionContainers.unregister(vault, group, fabric, found.name, extra));
await services.vaults.beginDeleteAndWait(group, vault, quick);
console.log('done');
