using Strongroom.Arm;

namespace Strongroom.Api.Tests.Support;

/// <summary>A provider of vaults, some of which still hold items.</summary>
public sealed class FakeVaults : IResourceProvider
{
    public HashSet<ResourceId> Vaults { get; } = [];

    public HashSet<ResourceId> Holding { get; } = [];

    /// <summary>Runs when a vault is deleted: what happens elsewhere meanwhile.</summary>
    public Func<Task> WhileDeleting { get; set; } = () => Task.CompletedTask;

    public string Namespace => "Microsoft.RecoveryServices";

    public IReadOnlyList<ResourceTypeInfo> ResourceTypes => [new("vaults", ["2024-04-01"])];

    public IReadOnlyList<ProviderOperation> Operations =>
        [.. Enumerable.Range(0, 5).Select(i => new ProviderOperation($"Microsoft.RecoveryServices/Vaults/{i}/read", "Microsoft Recovery Services", "Vault", "Get Vault", "Gets a vault."))];

    public IAsyncEnumerable<ArmResourceSummary> ListAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken) =>
        Vaults.Where(v => resourceGroup is null || v.IsWithin(ResourceId.ForGroup(subscriptionId, resourceGroup)))
            .Select(v => new ArmResourceSummary(v, "home", ResourceTags.None)).ToList().ToAsyncEnumerable();

    public Task<ArmException?> CanDeleteAsync(ResourceId id, CancellationToken cancellationToken) => Task.FromResult(
        Holding.Contains(id) ? ArmErrors.Custom(400, "ServiceResourceNotEmptyWithContainerDetails", "There are existing resources within the vault.") : null);

    public async Task DeleteAsync(ResourceId id, CancellationToken cancellationToken)
    {
        if (await CanDeleteAsync(id, cancellationToken) is { } refusal) throw refusal;
        Vaults.Remove(id);
        await WhileDeleting();
    }
}
