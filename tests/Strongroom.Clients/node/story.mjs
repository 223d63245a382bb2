// The story by Azure's own SDK for JavaScript, in acts:
//
//   node story.mjs first | second | restore | end
//
// first: group, host, vault, policies, discovery, protection, a backup. second: a backup. restore: the disks of
// STRONGROOM_RECOVERY_POINT. end: protection off with the data, vault away. The last line printed is the name of the
// recovery point or of the job. Environment: STRONGROOM_ADMIN (admin.json), STRONGROOM_ENDPOINT, STRONGROOM_MACHINES,
// NODE_EXTRA_CA_CERTS.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ClientSecretCredential } from '@azure/identity';
import { RecoveryServicesClient } from '@azure/arm-recoveryservices';
import { RecoveryServicesBackupClient } from '@azure/arm-recoveryservicesbackup';

const admin = JSON.parse(fs.readFileSync(process.env.STRONGROOM_ADMIN, 'utf8'));
const endpoint = (process.env.STRONGROOM_ENDPOINT ?? admin.endpoint).replace(/\/$/, '');
const scope = `${endpoint}//.default`;
const [group, vault, machine, account, location, fabric] = ['lab', 'vault1', 'web1', 'restores1', 'home', 'Azure'];
const container = `iaasvmcontainer;iaasvmcontainerv2;${group};${machine}`;
const item = `vm;iaasvmcontainerv2;${group};${machine}`;
const groupId = `/subscriptions/${admin.subscriptionId}/resourceGroups/${group}`;
const vaultId = `${groupId}/providers/Microsoft.RecoveryServices/vaults/${vault}`;
const machineId = `${groupId}/providers/Microsoft.Compute/virtualMachines/${machine}`;
const onlyMachines = "backupManagementType eq 'AzureIaasVM'";

const credential = new ClientSecretCredential(admin.tenantId, admin.clientId, admin.clientSecret,
  { authorityHost: endpoint, disableInstanceDiscovery: true });
// The two packages come from two generations of the SDK: each has its own word for the scope.
const options = { endpoint, credentialScopes: [scope], credentials: { scopes: [scope] } };
const vaults = new RecoveryServicesClient(credential, admin.subscriptionId, options).vaults;
const backup = new RecoveryServicesBackupClient(credential, admin.subscriptionId, options);

/** Requests that the two packages have no method for (groups, hosts, storage accounts). */
async function put(path, body) {
  const { token } = await credential.getToken(scope);
  const answer = await fetch(endpoint + path, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, `PUT ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

const collect = async pages => { const all = []; for await (const one of pages) all.push(one); return all; };
const operationId = url => new URL(url).pathname.split('/').pop();

/** Calls a method that answers 202 and returns its headers; the SDK gives them to onResponse alone. */
async function accepted(call) {
  let headers;
  await call({ onResponse: raw => { if (raw.status === 202) headers ??= raw.headers; } });
  assert.ok(headers, 'the answer was not 202');
  return headers;
}

async function untilDone(what, look, limitSeconds = 120) {
  for (const end = Date.now() + limitSeconds * 1000; Date.now() < end; await delay(200)) {
    const found = await look();
    if (found) return found;
  }
  assert.fail(`${what} was not done after ${limitSeconds} s`);
}

async function jobOf(headers) {
  const id = operationId(headers.get('azure-asyncoperation'));
  const status = await untilDone('the operation', async () => {
    const now = await backup.backupOperationStatuses.get(vault, group, id);
    return now.status === 'InProgress' ? undefined : now;
  });
  assert.equal(status.status, 'Succeeded', JSON.stringify(status));
  return status.properties.jobId;
}

async function completed(jobId, operation) {
  const job = await untilDone(`the job ${operation}`, async () => {
    const now = await backup.jobDetails.get(vault, group, jobId);
    return now.properties.status === 'InProgress' ? undefined : now;
  });
  assert.equal(job.properties.status, 'Completed', JSON.stringify(job));
  assert.equal(job.properties.operation, operation);
  assert.equal(job.properties.jobType, 'AzureIaaSVMJob');
  assert.equal(job.properties.entityFriendlyName, machine);
  assert.ok(job.properties.startTime instanceof Date && job.properties.endTime instanceof Date);
  return job;
}

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
