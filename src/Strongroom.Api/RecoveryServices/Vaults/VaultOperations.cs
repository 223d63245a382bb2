using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Strongroom.Arm;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Vaults;

/// <summary>
/// The operations of vaults themselves. Most are over when they are answered; one whose settings the vault's store must follow ends with that. Their ids
/// are remembered so that their URLs answer, also for a vault that is gone. After a restart they are not known any more, which clients take as done (the
/// service's own answer is often 404).
/// </summary>
internal sealed class VaultOperations
{
    private const int Remembered = 10_000;
    private readonly ConcurrentQueue<string> _order = new();
    private readonly ConcurrentDictionary<string, Entry> _entries = new();

    /// <summary>Remembers an operation and answers the path of its status.</summary>
    /// <param name="work">What is still to be done: ends with null, or with why it failed. Never throws. Null: nothing.</param>
    public string Begin(Vault vault, Task<string?>? work = null)
    {
        // The service's ids are base64 of a number and a GUID; the '=' at their end stays as it is in the path.
        var id = Convert.ToBase64String(Encoding.ASCII.GetBytes($"4095;{Guid.NewGuid()}"));
        _entries[id] = new(vault.ResourceId, work ?? Task.FromResult<string?>(null));
        _order.Enqueue(id);
        while (_entries.Count > Remembered && _order.TryDequeue(out var oldest)) _entries.TryRemove(oldest, out _);
        return $"{vault.ResourceId}/operationStatus/{id}";
    }

    /// <summary>The path of the result that belongs to the path of a status.</summary>
    public static string ResultOf(string status) => status.Replace("/operationStatus/", "/operationResults/", StringComparison.Ordinal);

    /// <summary>The operation of the vault in the path, or null.</summary>
    public async Task<VaultOperation?> FindAsync(HttpContext context, string id)
    {
        var vault = ArmScope.Of(context).ResourceId("Microsoft.RecoveryServices", "vaults", context.Route("vaultName")).ToString();
        if (!_entries.TryGetValue(id, out var entry) || !entry.Vault.Equals(vault, StringComparison.OrdinalIgnoreCase)) return null;
        return entry.Work.IsCompleted ? new(id, false, await entry.Work) : new(id, true, null);
    }

    private sealed record Entry(string Vault, Task<string?> Work);
}

/// <summary>What an operation of a vault has come to.</summary>
/// <param name="Failure">Why it failed, or null.</param>
internal sealed record VaultOperation(string Id, bool IsRunning, string? Failure)
{
    public JsonObject ToJson()
    {
        var json = new JsonObject { ["id"] = Id, ["name"] = Id, ["status"] = IsRunning ? "InProgress" : Failure is null ? "Succeeded" : "Failed", ["percentComplete"] = IsRunning ? 0.0 : 100.0 };
        if (Failure is not null) json["error"] = new JsonObject { ["code"] = RecoveryServicesErrors.StorageUnexpected, ["message"] = Failure };
        return json;
    }

    /// <exception cref="ArmException">500: it failed.</exception>
    public void RequireSuccess()
    {
        if (Failure is not null) throw ArmErrors.Custom(StatusCodes.Status500InternalServerError, RecoveryServicesErrors.StorageUnexpected, Failure);
    }
}
