using Strongroom.Api.Fabric;
using Strongroom.Arm;

namespace Strongroom.Api.Storage;

/// <summary>The names of storage accounts: each belongs to one account only, in whatever group and subscription it is, be it one for blobs or a file server.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class StorageAccountNames(IResourceStore store, ArmOptions options) : IDisposable
{
    // Looking for a name and taking it must be one step.
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>Runs what takes names or gives them back, alone.</summary>
    public async Task<T> HoldAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await work();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>What has the name, a storage account or a file server, or null.</summary>
    public async Task<TrackedResource?> FindAsync(string name, CancellationToken cancellationToken) =>
        await FindAsync(StorageAccounts.Type, name, cancellationToken) ?? await FindAsync(FileServers.Type, name, cancellationToken);

    /// <summary>The resource of a type and this name in any subscription, or null.</summary>
    internal async Task<TrackedResource?> FindAsync(string type, string name, CancellationToken cancellationToken)
    {
        foreach (ArmSubscription subscription in options.Subscriptions)
        {
            IReadOnlyList<TrackedResource> found = await store.ListAsync(subscription.Id, null, type, cancellationToken);
            if (found.FirstOrDefault(r => r.Id.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } taken) return taken;
        }
        return null;
    }

    /// <summary>Refuses a name that somebody else has.</summary>
    /// <param name="wanted">The resource that is about to be written; itself it may be there.</param>
    /// <exception cref="ArmException">409.</exception>
    public async Task RequireFreeAsync(ResourceId wanted, CancellationToken cancellationToken)
    {
        if (await FindAsync(wanted.Name, cancellationToken) is not { } taken || taken.Id == wanted) return;
        if (IsSameGroup(taken.Id, wanted) && taken.Id.IsOfType(FileServers.Type)) throw FileServerAccounts.NotHere(taken.Id);
        throw string.Equals(taken.Id.SubscriptionId, wanted.SubscriptionId, StringComparison.OrdinalIgnoreCase) && !IsSameGroup(taken.Id, wanted)
            ? ArmErrors.Custom(409, "StorageAccountInAnotherResourceGroup", $"The storage account '{wanted.Name}' is in another resource group of this subscription.")
            : ArmErrors.Custom(409, "StorageAccountAlreadyTaken", $"The storage account name '{wanted.Name}' is already taken.");
    }

    /// <exception cref="ArmException">400.</exception>
    public static void RequireValid(string name)
    {
        if (!ResourceNames.IsStorageAccount(name)) throw Invalid(name);
    }

    internal static ArmException Invalid(string name) => ArmErrors.Custom(400, "AccountNameInvalid",
        $"'{(name.Length > 60 ? name[..60] : name)}' is not a storage account name: it must have 3 to 24 digits and lower-case letters only.");

    public void Dispose() => _turn.Dispose();

    private static bool IsSameGroup(ResourceId left, ResourceId right) =>
        string.Equals(left.SubscriptionId, right.SubscriptionId, StringComparison.OrdinalIgnoreCase) && string.Equals(left.ResourceGroup, right.ResourceGroup, StringComparison.OrdinalIgnoreCase);
}
