using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Strongroom.Api.Resources;
using Strongroom.Arm;
using Strongroom.Backup.ResourceGuards;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.DataProtection;

/// <summary>The rules for resource guards: how they are written, and that none goes while a vault is under it.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class ResourceGuards(TrackedResources resources, IResourceStore store, IVaultRepository vaults, VaultLifecycle lifecycle, ArmOptions options, TimeProvider time) : IDisposable
{
    public const string Type = "Microsoft.DataProtection/resourceGuards";

    /// <summary>The action that a principal needs over a guard to see it and to put vaults under it.</summary>
    public const string ReadAction = "Microsoft.DataProtection/subscriptions/resourceGroups/providers/resourceGuards/read";

    private const string ExclusionsField = "vaultCriticalOperationExclusionList";
    private const string DescriptionField = "description";
    private const string DefaultDescription = "Ask the owner of this resource guard for access before a critical operation.";
    private const int MostExclusions = 100;
    private const int LongestDescription = 1000;

    private static readonly FrozenSet<string> s_mandatory = CriticalOperation.All.Where(static o => o.IsMandatory).Select(static o => o.Name).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    // A vault that is put under a guard, and the guard's deletion, must not pass each other.
    private readonly SemaphoreSlim _links = new(1, 1);

    /// <summary>Makes or replaces a guard.</summary>
    /// <exception cref="ArmException">400: name, location, tags or exclusions; 409: another location.</exception>
    public Task<(TrackedResource Resource, bool IsCreated)> PutAsync(ResourceId id, JsonObject body, CancellationToken cancellationToken)
    {
        if (!ResourceNames.IsGeneralName(id.Name) || id.Name.Length is < 3 or > 63)
            throw ArmErrors.InvalidResourceName(Type, id.Name, "3 to 63 letters, digits, dots, hyphens or underscores, beginning with a letter or digit");
        string location = options.RequireLocation(body.OptionalText("location"), Type);
        IReadOnlyDictionary<string, string> tags = ResourceTags.Read(body);
        body.OptionalText("eTag");
        body.OptionalObject("identity");
        JsonObject? sent = body.OptionalObject("properties");
        var properties = new JsonObject
        {
            [DescriptionField] = Description(sent?.OptionalText(DescriptionField)) ?? DefaultDescription,
            [ExclusionsField] = ReadExclusions(sent?.OptionalArray(ExclusionsField)),
            ["provisioningState"] = "Succeeded",
        };
        return resources.PutAsync(id, _ => TrackedResources.New(id, location, tags, properties), cancellationToken);
    }

    /// <summary>Replaces the tags, where they are given; nothing else of a guard is patched.</summary>
    public Task<TrackedResource> PatchAsync(ResourceId id, JsonObject body, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, string>? tags = body.HasField("tags") ? ResourceTags.Read(body) : null;
        return resources.PatchAsync(id, guard => guard with { Tags = tags ?? guard.Tags }, cancellationToken);
    }

    /// <summary>The guard with this id, or null.</summary>
    public Task<TrackedResource?> FindAsync(ResourceId id, CancellationToken cancellationToken) => store.GetAsync(id, cancellationToken);

    /// <returns>False when there was none.</returns>
    /// <exception cref="ArmException">409: vaults are under it.</exception>
    public async Task<bool> DeleteAsync(ResourceId id, CancellationToken cancellationToken)
    {
        await _links.WaitAsync(cancellationToken);
        try
        {
            return await FindObstacleAsync(id, isWithGroup: false, cancellationToken) is { } obstacle ? throw obstacle : await store.DeleteAsync(id, cancellationToken);
        }
        finally
        {
            _links.Release();
        }
    }

    /// <summary>Why a guard cannot be deleted, or null.</summary>
    /// <param name="isWithGroup">Its whole group is deleted, and the vaults in it before the guard.</param>
    public async Task<ArmException?> FindObstacleAsync(ResourceId id, bool isWithGroup, CancellationToken cancellationToken)
    {
        List<string> below = [];
        foreach (ArmSubscription subscription in options.Subscriptions)
        {
            below.AddRange((await vaults.ListAsync(subscription.Id, null, cancellationToken))
                .Where(v => v.Guard is { } guard && GuardPass.IsSame(guard.ResourceGuardId, id.ToString()))
                .Where(v => !isWithGroup || ResourceId.ForGroup(v.SubscriptionId, v.ResourceGroup) != id.Parent)
                .Select(static v => v.Name));
        }
        return below.Count == 0 ? null : ArmErrors.Custom(409, "UserErrorResourceGuardInUse",
            $"Resource guard '{id.Name}' protects vaults: {string.Join(", ", below.Take(10))}{(below.Count > 10 ? " and others" : "")}. Take them from it first (delete their backupResourceGuardProxies).", id.ToString());
    }

    /// <summary>Puts a vault under a guard. One that is under another guard already needs what it takes to leave that.</summary>
    /// <exception cref="ArmException">400: there is no such guard, or it is in another location.</exception>
    public async Task<Vault?> LinkAsync(Vault vault, ResourceId id, GuardPass pass, CancellationToken cancellationToken)
    {
        await _links.WaitAsync(cancellationToken);
        try
        {
            TrackedResource guard = await store.GetAsync(id, cancellationToken) ?? throw Invalid($"Resource guard '{id}' does not exist.");
            if (!guard.Location.Equals(vault.Location, StringComparison.OrdinalIgnoreCase))
                throw Invalid($"Resource guard '{id.Name}' is in location '{guard.Location}' and the vault in '{vault.Location}'; they must be in the same.");
            return await lifecycle.UpdateAsync(vault, existing =>
            {
                bool isSame = existing.Guard is { } known && GuardPass.IsSame(known.ResourceGuardId, guard.Id.ToString());
                if (!isSame) pass.Require(existing, CriticalOperation.RemoveGuard);
                return existing with { Guard = new(guard.Id.ToString(), time.GetUtcNow()) { Unlocks = isSame ? existing.Guard!.Unlocks : [] } };
            }, cancellationToken);
        }
        finally
        {
            _links.Release();
        }
    }

    public void Dispose() => _links.Dispose();

    /// <summary>What the guard leaves unprotected; the names may be of other services.</summary>
    public static IReadOnlySet<string> Exclusions(TrackedResource guard) =>
        guard.Properties[ExclusionsField]!.AsArray().Select(static name => (string)name!).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>The operations that a guard protects; all, where there is no guard any more.</summary>
    public static IEnumerable<CriticalOperation> Protected(TrackedResource? guard)
    {
        IReadOnlySet<string> exclusions = guard is null ? FrozenSet<string>.Empty : Exclusions(guard);
        return CriticalOperation.All.Where(operation => operation.IsMandatory || !exclusions.Contains(operation.Name));
    }

    public static string Description(TrackedResource? guard) => guard?.Properties.OptionalText(DescriptionField) ?? DefaultDescription;

    public static JsonObject ToJson(TrackedResource guard) => TrackedResources.ToJson(guard, new JsonObject
    {
        ["provisioningState"] = "Succeeded",
        ["allowAutoApprovals"] = true,
        ["resourceGuardOperations"] = new JsonArray([.. Protected(guard).Select(static operation => (JsonNode)new JsonObject
        {
            ["vaultCriticalOperation"] = operation.Name,
            ["requestResourceType"] = $"{Type}/{operation.RequestType}",
        })]),
        [DescriptionField] = Description(guard),
        [ExclusionsField] = guard.Properties[ExclusionsField]!.DeepClone(),
    });

    private static string? Description(string? sent) => sent is null or { Length: <= LongestDescription }
        ? sent
        : throw ArmErrors.InvalidRequestContent($"a description has {LongestDescription} characters at most", "$.properties.description");

    /// <summary>Names of operations of this service and of others; those of others are kept and mean nothing here.</summary>
    private static JsonArray ReadExclusions(JsonArray? sent)
    {
        var names = new JsonArray();
        foreach (JsonNode? entry in sent ?? [])
        {
            if (entry is not JsonValue value || !value.TryGetValue(out string? name) || !IsOperation(name))
                throw ArmErrors.InvalidRequestContent("a list of critical operations is expected, such as 'Microsoft.RecoveryServices/vaults/backupPolicies/write'", "$.properties." + ExclusionsField);
            if (s_mandatory.Contains(name)) throw Invalid($"'{name}' is always protected: no resource guard can exclude it.");
            if (names.Count == MostExclusions) throw Invalid($"There are more than {MostExclusions} exclusions.");
            // As a node: to make one of a text takes reflection, which the program does without.
            names.Add((JsonNode)name);
        }
        return names;
    }

    private static bool IsOperation(string name) => name.Length <= 256 && ResourceNames.IsWellFormed(name)
        && (name.StartsWith("Microsoft.RecoveryServices/", StringComparison.OrdinalIgnoreCase) || name.StartsWith("Microsoft.DataProtection/", StringComparison.OrdinalIgnoreCase));

    private static ArmException Invalid(string message) => ArmErrors.Custom(400, "UserErrorInvalidRequestParameter", message);
}
