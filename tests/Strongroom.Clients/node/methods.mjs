// Every method of the two packages, once, against a vault with one protected machine and one recovery point (its name in
// STRONGROOM_RECOVERY_POINT): what is answered, as the SDK reads it, or the code it is refused with. At the end every
// method that the packages have must have been called. Environment: see lab.mjs. The last line printed is how many.
import assert from 'node:assert/strict';
import {
  account, accepted, backup as backupClient, collect, completed, container, fabric, group, groupId, item, jobOf, location, machine, machineId, onlyMachines, operationId, put,
  services as servicesClient, vault, vaultId,
} from './lab.mjs';

const called = new Set();
const watch = (name, target) => new Proxy(target, {
  get(of, key) {
    const member = of[key];
    if (typeof member === 'function') return (...args) => { called.add(`${name}.${String(key).replace(/AndWait$/, '')}`); return member.apply(of, args); };
    return member && typeof member === 'object' ? watch(`${name}.${String(key)}`, member) : member;
  },
});
const [services, backup] = [watch('services', servicesClient), watch('backup', backupClient)];
const point = process.env.STRONGROOM_RECOVERY_POINT;
const inItem = [vault, group, fabric, container, item];
const quick = { updateIntervalInMs: 200 };
const nowhere = '00000000-0000-4000-8000-000000000000';

async function refused(status, code, call) {
  await assert.rejects(async () => call(), error => {
    assert.deepEqual([error.statusCode, error.code], [status, code], error.message);
    return true;
  });
}
const notFound = call => refused(404, 'ResourceNotFound', call);
const notSupported = call => refused(400, 'BMSUserErrorOperationNotSupported', call);

async function vaults() {
  let headers;
  const made = await services.vaults.createOrUpdate(group, 'vault2', { location, sku: { name: 'Standard' }, properties: { publicNetworkAccess: 'Enabled' } },
    { ...quick, onResponse: raw => { headers ??= raw.headers; } });
  assert.equal(made.properties.provisioningState, 'Succeeded');
  const operation = decodeURIComponent(operationId(headers.get('azure-asyncoperation')));
  assert.equal((await services.getOperationStatus(group, 'vault2', operation)).status, 'Succeeded');
  assert.equal((await services.getOperationResult(group, 'vault2', operation)).name, 'vault2');
  await services.vaults.update(group, 'vault2', { tags: { a: 'b' } }, quick);
  assert.deepEqual((await services.vaults.get(group, 'vault2')).tags, { a: 'b' });
  assert.equal((await collect(services.vaults.listByResourceGroup(group))).length, 2);
  assert.equal((await collect(services.vaults.listBySubscriptionId())).length, 2);

  const stored = await backup.backupResourceStorageConfigsNonCRR.update('vault2', group, { properties: { storageModelType: 'LocallyRedundant' } });
  assert.equal(stored.properties.storageModelType, 'LocallyRedundant');
  await backup.backupResourceStorageConfigsNonCRR.patch('vault2', group, { properties: { storageModelType: 'GeoRedundant' } });
  assert.equal((await backup.backupResourceStorageConfigsNonCRR.get('vault2', group)).properties.storageModelType, 'GeoRedundant');
  await services.vaults.delete(group, 'vault2', quick);
  assert.equal((await collect(services.vaults.listByResourceGroup(group))).length, 1);
}

async function aroundVaults() {
  const info = { properties: { integrityKey: 'a2V5', algorithm: 'None' } };
  assert.equal((await services.vaultExtendedInfo.createOrUpdate(group, vault, info)).properties.integrityKey, 'a2V5');
  await services.vaultExtendedInfo.update(group, vault, info);
  assert.equal((await services.vaultExtendedInfo.get(group, vault)).properties.algorithm, 'None');
  assert.ok((await collect(services.usages.listByVaults(group, vault))).every(one => typeof one.currentValue === 'number'));
  assert.ok(Array.isArray(await collect(services.replicationUsages.list(group, vault))));
  await services.registeredIdentities.delete(group, vault, 'agent1');
  await refused(400, 'BMSUserErrorInvalidInput', () => services.vaultCertificates.create(group, vault, 'cert1', { properties: { authType: 'AAD', certificate: new Uint8Array([1]) } }));
  assert.deepEqual(await collect(services.privateLinkResources.list(group, vault)), []);
  await notFound(() => services.privateLinkResources.get(group, vault, 'AzureBackup'));
  assert.deepEqual(await collect(services.deletedVaults.listBySubscriptionId(location)), []);
  await notFound(() => services.deletedVaults.get(location, 'gone'));
  await notFound(() => services.deletedVaults.undelete(location, 'gone', { properties: { recoveryResourceGroupId: groupId } }));
  await notFound(() => services.deletedVaults.getOperationStatus(location, 'gone', nowhere));
  const names = await services.recoveryServices.checkNameAvailability(group, location, { type: 'Microsoft.RecoveryServices/Vaults', name: vault });
  assert.equal(names.nameAvailable, false);
  assert.equal((await services.recoveryServices.capabilities(location, { type: 'Microsoft.RecoveryServices/Vaults' })).type, 'Microsoft.RecoveryServices/Vaults');
  assert.ok((await collect(services.operations.list())).length > 20);
  assert.ok((await collect(backup.operations.list())).every(one => one.name && one.display));
}

async function configurations() {
  const config = await backup.backupResourceVaultConfigs.get(vault, group);
  assert.equal(config.properties.softDeleteFeatureState, 'Disabled');
  await backup.backupResourceVaultConfigs.update(vault, group, { properties: { enhancedSecurityState: 'Disabled' } });
  assert.equal((await backup.backupResourceVaultConfigs.put(vault, group, { properties: { softDeleteFeatureState: 'Disabled', enhancedSecurityState: 'Enabled' } })).properties.enhancedSecurityState, 'Enabled');
  await refused(400, 'BMSUserErrorStorageTypeLocked', () => backup.backupResourceStorageConfigsNonCRR.update(vault, group, { properties: { storageModelType: 'LocallyRedundant' } }));
  assert.equal((await backup.backupResourceEncryptionConfigs.get(vault, group)).properties.encryptionAtRestType, 'MicrosoftManaged');
  await backup.backupResourceEncryptionConfigs.update(vault, group, { properties: { encryptionAtRestType: 'MicrosoftManaged' } });
  await notFound(() => backup.privateEndpointConnectionOperations.get(vault, group, 'one'));
  await notSupported(() => backup.privateEndpointConnectionOperations.beginPutAndWait(vault, group, 'one', { properties: {} }, quick));
  await backup.privateEndpointConnectionOperations.beginDeleteAndWait(vault, group, 'one', quick);
  await refused(404, 'BMSUserErrorOperationNotFound', () => backup.privateEndpointOperations.getOperationStatus(vault, group, 'one', nowhere));
  const move = { targetResourceId: vaultId, targetRegion: location, dataMoveLevel: 'Vault' };
  await notSupported(() => backup.beginBMSPrepareDataMoveAndWait(vault, group, move, quick));
  await notSupported(() => backup.beginBMSTriggerDataMoveAndWait(vault, group, { sourceResourceId: vaultId, sourceRegion: location, dataMoveLevel: 'Vault', correlationId: nowhere }, quick));
  await refused(404, 'BMSUserErrorOperationNotFound', () => backup.bMSPrepareDataMoveOperationResult.get(vault, group, nowhere));
  await refused(404, 'BMSUserErrorOperationNotFound', () => backup.getOperationStatus(vault, group, nowhere));
  const pin = await backup.securityPINs.get(vault, group);
  assert.equal(typeof pin.expiryTimeInUtcTicks, 'number');
  assert.ok(pin.securityPIN);
  assert.deepEqual(await collect(backup.resourceGuardProxies.list(vault, group)), []);
  const savings = await backup.fetchTieringCost.beginPostAndWait(group, vault,
    { objectType: 'FetchTieringCostSavingsInfoForVaultRequest', sourceTierType: 'HardenedRP', targetTierType: 'ArchivedRP' }, quick);
  assert.equal(savings.objectType, 'TieringCostSavingInfo');
  await refused(404, 'BMSUserErrorOperationNotFound', () => backup.getTieringCostOperationResult.get(group, vault, nowhere));
  await refused(404, 'BMSUserErrorOperationNotFound', () => backup.tieringCostOperationStatus.get(group, vault, nowhere));
}

async function policies() {
  const standard = await backup.protectionPolicies.get(vault, group, 'DefaultPolicy');
  const { protectedItemsCount, ...properties } = standard.properties;
  assert.equal(protectedItemsCount, 1);
  const made = await backup.protectionPolicies.createOrUpdate(vault, group, 'nightly', { properties });
  assert.ok(made.properties.schedulePolicy.scheduleRunTimes[0] instanceof Date);
  assert.equal(made.properties.retentionPolicy.dailySchedule.retentionDuration.count, 30);
  assert.equal((await collect(backup.backupPolicies.list(vault, group, { filter: onlyMachines }))).length, 3);
  await backup.protectionPolicies.beginDeleteAndWait(vault, group, 'nightly', quick);
  await refused(404, 'BMSUserErrorPolicyNotFound', () => backup.protectionPolicies.get(vault, group, 'nightly'));
}

async function protection() {
  const body = { resourceType: 'VM', resourceId: machineId };
  assert.equal((await backup.backupStatus.get(location, body)).protectionStatus, 'Protected');
  assert.equal((await backup.protectionIntentOperations.validate(location, { ...body, vaultId, properties: '' })).status, 'Failed');
  assert.equal((await backup.featureSupport.validate(location, { featureType: 'AzureVMResourceBackup', vmSize: 'Standard_B2s', vmSku: '' })).supportStatus, 'Supported');
  const policyId = `${vaultId}/backupPolicies/DefaultPolicy`;
  const intent = await backup.protectionIntentOperations.createOrUpdate(vault, group, fabric, item, { properties: { protectionIntentItemType: 'AzureResourceItem', sourceResourceId: machineId, policyId } });
  assert.equal(intent.properties.policyId.toLowerCase(), policyId.toLowerCase());
  assert.equal((await backup.protectionIntentOperations.get(vault, group, fabric, item)).name, intent.name);
  assert.equal((await collect(backup.backupProtectionIntent.list(vault, group))).length, 1);
  await backup.protectionIntentOperations.delete(vault, group, fabric, item);

  const headers = await accepted(extra => backup.protectedItems.createOrUpdate(...inItem,
    { properties: { protectedItemType: 'Microsoft.Compute/virtualMachines', sourceResourceId: machineId, policyId } }, extra));
  const id = operationId(headers.get('location'));
  await completed(await jobOf(headers), 'ConfigureBackup');
  assert.equal((await backup.backupOperationStatuses.get(vault, group, id)).properties.objectType, 'OperationStatusJobExtendedInfo');
  await backup.backupOperationResults.get(vault, group, id);
  const status = await backup.protectedItemOperationStatuses.get(...inItem, id);
  assert.equal(status.status, 'Succeeded');
  assert.ok(status.startTime instanceof Date);
  assert.equal((await backup.protectedItemOperationResults.get(...inItem, id)).properties.friendlyName, machine);
  await backup.protectionContainerOperationResults.get(vault, group, fabric, container, id);
  assert.equal((await backup.protectionPolicyOperationStatuses.get(vault, group, 'DefaultPolicy', id)).status, 'Succeeded');
  assert.equal((await backup.protectionPolicyOperationResults.get(vault, group, 'DefaultPolicy', id)).name, 'DefaultPolicy');
  const got = await backup.protectedItems.get(...inItem, { filter: "expand eq 'extendedInfo'" });
  assert.equal(got.properties.extendedInfo.recoveryPointCount, 1);
  assert.equal((await collect(backup.backupProtectedItems.list(vault, group, { filter: onlyMachines }))).length, 1);
  assert.equal((await collect(backup.backupUsageSummaries.list(vault, group, { filter: "type eq 'BackupProtectedItemCountSummary'" }))).length > 0, true);
}

async function containers() {
  assert.equal((await backup.protectionContainers.get(vault, group, fabric, container)).properties.friendlyName, machine);
  assert.equal((await collect(backup.backupProtectionContainers.list(vault, group, { filter: onlyMachines }))).length, 1);
  const storage = { properties: { containerType: 'StorageContainer', backupManagementType: 'AzureStorage', sourceResourceId: `${groupId}/providers/Microsoft.Storage/storageAccounts/${account}` } };
  await refused(400, 'BMSUserErrorInvalidInput', () => backup.protectionContainers.beginRegisterAndWait(vault, group, fabric, 'StorageContainer;storage;lab;x', storage, quick));
  await refused(400, 'BMSUserErrorContainerHasDatasources', () => backup.protectionContainers.unregister(vault, group, fabric, container));
  await notSupported(() => backup.protectionContainers.inquire(vault, group, fabric, container));
  const refresh = await accepted(extra => backup.protectionContainers.refresh(vault, group, fabric, { filter: onlyMachines, ...extra }));
  await backup.protectionContainerRefreshOperationResults.get(vault, group, fabric, operationId(refresh.get('location')));
  assert.deepEqual(await collect(backup.backupProtectableItems.list(vault, group, { filter: onlyMachines })), []);
  assert.deepEqual(await collect(backup.protectableContainers.list(vault, group, fabric, { filter: "backupManagementType eq 'AzureStorage'" })), []);
  assert.deepEqual(await collect(backup.backupWorkloadItems.list(vault, group, fabric, container, { filter: "backupManagementType eq 'AzureWorkload'" })), []);
  assert.deepEqual(await collect(backup.deletedProtectionContainers.list(group, vault, { filter: "backupManagementType eq 'AzureStorage'" })), []);
  assert.deepEqual(await collect(backup.backupEngines.list(vault, group)), []);
  await notFound(() => backup.backupEngines.get(vault, group, 'dpm1'));
}

async function recovery() {
  assert.deepEqual((await collect(backup.recoveryPoints.list(...inItem))).map(one => one.name), [point]);
  const got = await backup.recoveryPoints.get(...inItem, point);
  assert.ok(got.properties.recoveryPointTime instanceof Date);
  assert.equal(got.properties.recoveryPointTierDetails.at(-1).type, 'HardenedRP');
  assert.equal(got.properties.recoveryPointMoveReadinessInfo.ArchivedRP.isReadyForMove, false);
  const request = {
    objectType: 'IaasVMRestoreRequest', recoveryPointId: point, recoveryType: 'RestoreDisks', sourceResourceId: machineId, region: location,
    storageAccountId: `${groupId}/providers/Microsoft.Storage/storageAccounts/${account}`, createNewCloudService: false, originalStorageAccountOption: false,
  };
  const checks = { id: got.id, properties: { objectType: 'ValidateIaasVMRestoreOperationRequest', restoreRequest: request } };
  assert.deepEqual((await backup.operation.validate(vault, group, checks)).validateOperationResponse.validationResults, []);
  const validation = await backup.validateOperation.beginTrigger(vault, group, checks, quick);
  const id = operationId(JSON.parse(validation.toString()).state.config.operationLocation);
  await validation.pollUntilDone();
  assert.equal((await backup.validateOperationStatuses.get(vault, group, id)).status, 'Succeeded');
  assert.deepEqual((await backup.validateOperationResults.get(vault, group, id)).validateOperationResponse.validationResults, []);

  await backup.restores.beginTriggerAndWait(...inItem, point, { properties: request }, quick);
  await completed(await newestJob('Restore'), 'Restore');
  await notSupported(() => backup.beginMoveRecoveryPointAndWait(...inItem, point, { objectType: 'MoveRPAcrossTiersRequest', sourceTierType: 'HardenedRP', targetTierType: 'ArchivedRP' }, quick));
  assert.deepEqual(await collect(backup.recoveryPointsRecommendedForMove.list(...inItem, { objectType: 'ListRecoveryPointsRecommendedForMoveRequest', excludedRPList: [] })), []);
}

const newestJob = async operation => (await collect(backup.backupJobs.list(vault, group, { filter: `operation eq '${operation}'` })))[0].name;

async function jobs() {
  const started = await accepted(extra => backup.backups.trigger(...inItem, { properties: { objectType: 'IaasVMBackupRequest', recoveryPointExpiryTimeInUTC: new Date(Date.now() + 20 * 86400e3) } }, extra));
  const job = await completed(await jobOf(started), 'Backup');
  assert.equal((await backup.jobDetails.get(vault, group, job.name)).properties.extendedInfo.tasksList.length, 2);
  await refused(400, 'BMSUserErrorJobNotCancellable', () => backup.jobCancellations.trigger(vault, group, job.name));
  await backup.jobOperationResults.get(vault, group, job.name, operationId(started.get('location')));
  const exporting = await accepted(extra => backup.jobs.export(vault, group, { filter: "operation eq 'Backup'", ...extra }));
  const exported = await backup.exportJobsOperationResults.get(vault, group, operationId(exporting.get('location')));
  assert.equal(exported.operation.objectType, 'ExportJobsOperationResultInfo');
  const file = await fetch(exported.operation.blobUrl + exported.operation.blobSasKey);
  assert.ok(file.ok, `the exported jobs: ${file.status}`);
  assert.ok((await file.text()).includes(job.name));
}

/** A vault under a resource guard does not give up its item's data until that is unlocked, and then not the guard. */
async function guarded() {
  const guard = `${groupId}/providers/Microsoft.DataProtection/resourceGuards/guard1`;
  await put(`${guard}?api-version=2024-04-01`, { location });
  await notFound(() => backup.resourceGuardProxy.get(vault, group, 'VaultProxy'));
  const linked = await backup.resourceGuardProxy.put(vault, group, 'VaultProxy', { properties: { resourceGuardResourceId: guard } });
  assert.equal(linked.properties.resourceGuardResourceId, guard);
  const got = await backup.resourceGuardProxy.get(vault, group, 'VaultProxy');
  assert.deepEqual((await collect(backup.resourceGuardProxies.list(vault, group))).map(one => one.name), [got.name]);
  const request = end => got.properties.resourceGuardOperationDetails.find(one => one.vaultCriticalOperation.endsWith(end)).defaultResourceRequest;
  const needsRequest = call => refused(400, 'BMSUserErrorInvalidInput', call);
  await needsRequest(() => backup.securityPINs.get(vault, group));
  assert.ok((await backup.securityPINs.get(vault, group, { parameters: { resourceGuardOperationRequests: [request('/backupSecurityPIN/action')] } })).securityPIN);
  await needsRequest(() => backup.protectedItems.delete(...inItem));
  await needsRequest(() => backup.resourceGuardProxy.delete(vault, group, 'VaultProxy'));
  const unlocked = await backup.resourceGuardProxy.unlockDelete(vault, group, 'VaultProxy', { resourceGuardOperationRequests: [request('/backupResourceGuardProxies/delete')] });
  assert.ok(new Date(unlocked.unlockDeleteExpiryTime) > new Date());
  await needsRequest(() => backup.protectedItems.delete(...inItem));
  await backup.resourceGuardProxy.delete(vault, group, 'VaultProxy');
  assert.deepEqual(await collect(backup.resourceGuardProxies.list(vault, group)), []);
}

/** A recovery point is mounted for the recovery of files, and revoked. */
async function files() {
  const provision = extra => backup.itemLevelRecoveryConnections.provision(...inItem, point, { properties: { objectType: 'IaasVMILRRegistrationRequest', recoveryPointId: point, virtualMachineId: machineId } }, extra);
  const mounted = async () => (await backup.recoveryPoints.get(...inItem, point)).properties.isInstantIlrSessionActive;
  const provisioned = await backup.backupOperationStatuses.get(vault, group, operationId((await accepted(provision)).get('location')));
  assert.equal(provisioned.status, 'Succeeded');
  const [script] = provisioned.properties.recoveryTarget.clientScripts;
  const password = script.scriptNameSuffix.slice(script.scriptNameSuffix.lastIndexOf('_') + 33).slice(0, 15);
  assert.ok(Buffer.from(script.scriptContent, 'base64').toString().includes(`TargetPassword="${password}"`));
  assert.deepEqual([script.osType, script.scriptExtension, await mounted()], ['Linux', '.py', true]);
  await accepted(extra => backup.itemLevelRecoveryConnections.revoke(...inItem, point, extra));
  assert.equal(await mounted(), false);
}

async function end() {
  await completed(await jobOf(await accepted(extra => backup.protectedItems.delete(...inItem, extra))), 'DeleteBackupData');
  assert.deepEqual(await collect(backup.backupProtectedItems.list(vault, group)), []);
}

/** The methods that a package has: not its plumbing, and each long-running operation under one name. */
function methods(name, client) {
  const of = target => [...new Set([...Object.keys(target), ...Object.getOwnPropertyNames(Object.getPrototypeOf(target))])].filter(key =>
    typeof target[key] === 'function' && !(key in Object.prototype) && !/^_|Paging|AndWait$|^addCustomApiVersionPolicy$/.test(key));
  const groups = Object.keys(client).filter(key => client[key] && typeof client[key] === 'object' && !key.startsWith('_') && key !== 'pipeline');
  return [...of(client).map(key => `${name}.${key}`), ...groups.flatMap(key => {
    const all = of(client[key]);
    // The newer package has older names for its long-running operations beside the new.
    return all.filter(one => !all.some(other => one === `begin${other[0].toUpperCase()}${other.slice(1)}`)).map(one => `${name}.${key}.${one}`);
  })];
}

for (const part of [vaults, aroundVaults, configurations, policies, protection, containers, recovery, jobs, guarded, files, end]) await part();
const all = [...methods('services', servicesClient), ...methods('backup', backupClient)];
assert.deepEqual(all.filter(method => !called.has(method)), [], 'methods that were not called');
console.log(all.length);
