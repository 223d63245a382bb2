using System.Runtime.CompilerServices;
using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.Storage;

/// <summary><c>Microsoft.Storage</c>.</summary>
internal sealed class StorageProvider(IResourceStore store, StorageAccounts accounts, FileServerAccounts fileServers) : StoredResourceProvider(store)
{
    private static readonly string[] s_versions = ["2023-05-01", "2022-09-01", "2021-09-01", "2016-01-01"];

    public override string Namespace => "Microsoft.Storage";

    public override IReadOnlyList<ResourceTypeInfo> ResourceTypes { get; } =
    [
        new("storageAccounts", s_versions),
        new("storageAccounts/fileServices", s_versions),
        new("storageAccounts/fileServices/shares", s_versions),
        new("checkNameAvailability", s_versions, []),
        new("operations", s_versions, []),
    ];

    public override IReadOnlyList<ProviderOperation> Operations { get; } =
    [
        Of("storageAccounts/read", "Get Storage Account", "Gets or lists storage accounts."),
        Of("storageAccounts/write", "Create or Update Storage Account", "Creates or updates a storage account."),
        Of("storageAccounts/delete", "Delete Storage Account", "Deletes a storage account."),
        Of("storageAccounts/listKeys/action", "List Storage Account Keys", "Allows the download of restored disks; there are no keys, and the list is refused."),
        Of("storageAccounts/fileServices/read", "Get File Service Properties", "Gets the file service of a storage account."),
        Of("storageAccounts/fileServices/shares/read", "Get or List File Shares", "Gets or lists the shares of a file server."),
        Of("checknameavailability/read", "Check Name Availability", "Tells whether a storage account can have a name."),
    ];

    protected override IReadOnlyList<string> StoredTypes => [StorageAccounts.Type];

    public override async IAsyncEnumerable<ArmResourceSummary> ListAsync(string subscriptionId, string? resourceGroup, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (ArmResourceSummary account in base.ListAsync(subscriptionId, resourceGroup, cancellationToken)) yield return account;
        foreach (TrackedResource server in await fileServers.ListAsync(subscriptionId, resourceGroup, cancellationToken)) yield return ArmResourceSummary.Of(server);
    }

    /// <summary>Removes an account with its blobs. One that shows a file server leaves the lists with it.</summary>
    public override Task DeleteAsync(ResourceId id, CancellationToken cancellationToken) => accounts.DeleteAsync(id, cancellationToken);

    private static ProviderOperation Of(string name, string operation, string description) =>
        new("Microsoft.Storage/" + name, "Microsoft Storage", "Storage Accounts", operation, description);
}
