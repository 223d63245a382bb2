// What the scripts of the SDK for JavaScript share: names, clients, and waits with assertions. Environment:
// STRONGROOM_ADMIN (admin.json), STRONGROOM_ENDPOINT, NODE_EXTRA_CA_CERTS.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ClientSecretCredential } from '@azure/identity';
import { RecoveryServicesClient } from '@azure/arm-recoveryservices';
import { RecoveryServicesBackupClient } from '@azure/arm-recoveryservicesbackup';

const admin = JSON.parse(fs.readFileSync(process.env.STRONGROOM_ADMIN, 'utf8'));
const endpoint = (process.env.STRONGROOM_ENDPOINT ?? admin.endpoint).replace(/\/$/, '');
const scope = `${endpoint}//.default`;
export const [group, vault, machine, account, location, fabric] = ['lab', 'vault1', 'web1', 'restores1', 'home', 'Azure'];
export const container = `iaasvmcontainer;iaasvmcontainerv2;${group};${machine}`;
export const item = `vm;iaasvmcontainerv2;${group};${machine}`;
export const groupId = `/subscriptions/${admin.subscriptionId}/resourceGroups/${group}`;
export const vaultId = `${groupId}/providers/Microsoft.RecoveryServices/vaults/${vault}`;
export const machineId = `${groupId}/providers/Microsoft.Compute/virtualMachines/${machine}`;
export const onlyMachines = "backupManagementType eq 'AzureIaasVM'";

const credential = new ClientSecretCredential(admin.tenantId, admin.clientId, admin.clientSecret,
  { authorityHost: endpoint, disableInstanceDiscovery: true });
// The two packages come from two generations of the SDK: each has its own word for the scope.
const options = { endpoint, credentialScopes: [scope], credentials: { scopes: [scope] } };
export const services = new RecoveryServicesClient(credential, admin.subscriptionId, options);
export const backup = new RecoveryServicesBackupClient(credential, admin.subscriptionId, options);

/** Requests that the two packages have no method for (groups, hosts, storage accounts). */
export async function put(path, body) {
  const { token } = await credential.getToken(scope);
  const answer = await fetch(endpoint + path, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, `PUT ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

export const collect = async pages => { const all = []; for await (const one of pages) all.push(one); return all; };
export const operationId = url => new URL(url).pathname.split('/').pop();

/** Calls a method that answers 202 and returns its headers; the SDK gives them to onResponse alone. */
export async function accepted(call) {
  let headers;
  await call({ onResponse: raw => { if (raw.status === 202) headers ??= raw.headers; } });
  assert.ok(headers, 'the answer was not 202');
  return headers;
}

export async function untilDone(what, look, limitSeconds = 120) {
  for (const end = Date.now() + limitSeconds * 1000; Date.now() < end; await delay(200)) {
    const found = await look();
    if (found) return found;
  }
  assert.fail(`${what} was not done after ${limitSeconds} s`);
}

export async function jobOf(headers) {
  const id = operationId(headers.get('azure-asyncoperation'));
  const status = await untilDone('the operation', async () => {
    const now = await backup.backupOperationStatuses.get(vault, group, id);
    return now.status === 'InProgress' ? undefined : now;
  });
  assert.equal(status.status, 'Succeeded', JSON.stringify(status));
  return status.properties.jobId;
}

export async function completed(jobId, operation, jobType = 'AzureIaaSVMJob', name = machine) {
  const job = await untilDone(`the job ${operation}`, async () => {
    const now = await backup.jobDetails.get(vault, group, jobId);
    return now.properties.status === 'InProgress' ? undefined : now;
  });
  assert.equal(job.properties.status, 'Completed', JSON.stringify(job));
  assert.equal(job.properties.operation, operation);
  assert.equal(job.properties.jobType, jobType);
  assert.equal(job.properties.entityFriendlyName, name);
  assert.ok(job.properties.startTime instanceof Date && job.properties.endTime instanceof Date);
  return job;
}
