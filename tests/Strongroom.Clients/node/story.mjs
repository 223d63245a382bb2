// The story by Azure's own SDK for JavaScript, in acts:
//
//   node story.mjs first | second | restore | end
//
// first: group, host, vault, policies, discovery, protection, a backup. second: a backup. restore: the disks of
// STRONGROOM_RECOVERY_POINT. end: protection off with the data, vault away. The last line printed is the name of the
// recovery point or of the job. Environment: STRONGROOM_ADMIN (admin.json), STRONGROOM_ENDPOINT, STRONGROOM_MACHINES,
// NODE_EXTRA_CA_CERTS.
import assert from 'node:assert/strict';
import {
  account, accepted, backup, collect, completed, container, fabric, group, groupId, item, jobOf, location, machine, machineId, onlyMachines, operationId, put, services,
  untilDone, vault, vaultId,
} from './lab.mjs';

const vaults = services.vaults;
const recoveryPoints = () => collect(backup.recoveryPoints.list(vault, group, fabric, container, item));

async function backUp() {
  const before = new Set((await recoveryPoints()).map(point => point.name));
  const headers = await accepted(extra => backup.backups.trigger(vault, group, fabric, container, item,
    { properties: { objectType: 'IaasVMBackupRequest', recoveryPointExpiryTimeInUTC: new Date(Date.now() + 30 * 86400e3) } }, extra));
  const job = await completed(await jobOf(headers), 'Backup');
  const listed = await collect(backup.backupJobs.list(vault, group, { filter: "operation eq 'Backup'" }));
  assert.ok(listed.some(one => one.name === job.name));
  const added = (await recoveryPoints()).filter(point => !before.has(point.name));
  assert.equal(added.length, 1);
  const point = await backup.recoveryPoints.get(vault, group, fabric, container, item, added[0].name);
  assert.equal(point.properties.objectType, 'IaasVMRecoveryPoint');
  assert.ok(point.properties.recoveryPointTime instanceof Date);
  const protectedItem = await backup.protectedItems.get(vault, group, fabric, container, item);
  assert.equal(protectedItem.properties.protectionState, 'Protected');
  assert.equal(protectedItem.properties.lastBackupStatus, 'Completed');
  return added[0].name;
}

const acts = {
  async first() {
    await put(`${groupId}?api-version=2021-04-01`, { location });
    await put(`${groupId}/providers/Strongroom.Fabric/hosts/rack1?api-version=2026-11-01`,
      { location, properties: { kind: 'Folder', path: process.env.STRONGROOM_MACHINES } });
    await put(`${groupId}/providers/Microsoft.Storage/storageAccounts/${account}?api-version=2022-09-01`,
      { location, kind: 'StorageV2', sku: { name: 'Standard_LRS' } });

    const made = await vaults.beginCreateOrUpdateAndWait(group, vault,
      { location, sku: { name: 'Standard' }, properties: { publicNetworkAccess: 'Enabled' } }, { updateIntervalInMs: 200 });
    assert.equal(made.name, vault);
    assert.equal(made.properties.provisioningState, 'Succeeded');
    assert.equal((await vaults.get(group, vault)).id, vaultId);
    assert.deepEqual((await collect(vaults.listByResourceGroup(group))).map(one => one.name), [vault]);
    assert.deepEqual((await collect(vaults.listBySubscriptionId())).map(one => one.name), [vault]);
    await vaults.beginUpdateAndWait(group, vault, { tags: { owner: 'node' } }, { updateIntervalInMs: 200 });
    assert.deepEqual((await vaults.get(group, vault)).tags, { owner: 'node' });
    const config = await backup.backupResourceVaultConfigs.update(vault, group, { properties: { softDeleteFeatureState: 'Disabled' } });
    assert.equal(config.properties.softDeleteFeatureState, 'Disabled');

    const policies = await collect(backup.backupPolicies.list(vault, group));
    assert.deepEqual(policies.map(one => one.name).sort(), ['DefaultPolicy', 'EnhancedPolicy', 'HourlyLogBackup']);
    const policy = await backup.protectionPolicies.get(vault, group, 'DefaultPolicy');
    assert.equal(policy.properties.backupManagementType, 'AzureIaasVM');
    assert.equal(policy.properties.schedulePolicy.schedulePolicyType, 'SimpleSchedulePolicy');

    const refresh = await accepted(extra => backup.protectionContainers.refresh(vault, group, fabric, { filter: onlyMachines, ...extra }));
    await untilDone('the refresh', async () => {
      let status;
      await backup.protectionContainerRefreshOperationResults.get(vault, group, fabric, operationId(refresh.get('location')),
        { onResponse: raw => { status = raw.status; } });
      return status === 204;
    });
    const protectable = await collect(backup.backupProtectableItems.list(vault, group, { filter: onlyMachines }));
    assert.deepEqual(protectable.map(one => one.properties.friendlyName), [machine]);
    assert.equal(protectable[0].properties.protectableItemType, 'Microsoft.Compute/virtualMachines');

    const enable = await accepted(extra => backup.protectedItems.createOrUpdate(vault, group, fabric, container, item,
      { properties: { protectedItemType: 'Microsoft.Compute/virtualMachines', sourceResourceId: machineId, policyId: policy.id } }, extra));
    await completed(await jobOf(enable), 'ConfigureBackup');
    const items = await collect(backup.backupProtectedItems.list(vault, group, { filter: onlyMachines }));
    assert.deepEqual(items.map(one => one.properties.friendlyName), [machine]);
    assert.equal(items[0].properties.policyId.toLowerCase(), policy.id.toLowerCase());
    assert.equal((await collect(backup.backupProtectionContainers.list(vault, group, { filter: onlyMachines }))).length, 1);
    assert.deepEqual(await collect(backup.backupProtectableItems.list(vault, group, { filter: onlyMachines })), []);
    return backUp();
  },

  second: backUp,

  async restore() {
    const poller = await backup.restores.beginTrigger(vault, group, fabric, container, item, process.env.STRONGROOM_RECOVERY_POINT, {
      properties: {
        objectType: 'IaasVMRestoreRequest',
        recoveryPointId: process.env.STRONGROOM_RECOVERY_POINT,
        recoveryType: 'RestoreDisks',
        sourceResourceId: machineId,
        storageAccountId: `${groupId}/providers/Microsoft.Storage/storageAccounts/${account}`,
        region: location,
        createNewCloudService: false,
        originalStorageAccountOption: false,
      },
    }, { updateIntervalInMs: 200 });
    // The operation's name is the job's in a restore, and it is in the poller's own state.
    const id = operationId(JSON.parse(poller.toString()).state.config.operationLocation);
    await poller.pollUntilDone();
    assert.equal(poller.getOperationState().status, 'succeeded');
    const status = await backup.backupOperationStatuses.get(vault, group, id);
    const job = await completed(status.properties.jobId, 'Restore');
    return job.name;
  },

  async end() {
    await assert.rejects(vaults.beginDeleteAndWait(group, vault, { updateIntervalInMs: 200 }), 'a vault with items was deleted');
    const away = await accepted(extra => backup.protectedItems.delete(vault, group, fabric, container, item, extra));
    await completed(await jobOf(away), 'DeleteBackupData');
    assert.deepEqual(await collect(backup.backupProtectedItems.list(vault, group)), []);
    await vaults.beginDeleteAndWait(group, vault, { updateIntervalInMs: 200 });
    await untilDone('the deletion of the vault', async () => (await collect(vaults.listByResourceGroup(group))).length === 0);
    return 'done';
  },
};

console.log(await acts[process.argv[2]]());
