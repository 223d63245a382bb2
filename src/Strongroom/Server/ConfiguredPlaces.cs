using Strongroom.Backup;
using Strongroom.Backup.Vaults;
using Strongroom.Store;
using Strongroom.Store.Locations;

namespace Strongroom.Server;

/// <summary>The places for vaults that the operator has configured: the data folder, another default, and named ones. Thread-safe.</summary>
/// <param name="own">The data folder's.</param>
/// <param name="standard">Where vaults without a tag go; null: into the data folder.</param>
/// <param name="named">What tags may name. Callers of the API choose among these names and can make the server reach nowhere else.</param>
/// <param name="budget">What all vaults together may ask of cloud services.</param>
internal sealed class ConfiguredPlaces(FolderPlaces own, VaultLocation? standard, IReadOnlyList<NamedStorage> named, BackendBudget budget, TimeProvider time) : IVaultPlaces
{
    public VaultStorage? Choose(Guid vaultKey, string? name)
    {
        if (name is null) return standard is null ? null : new(null, Below(standard, vaultKey).ToString()!);
        var storage = named.FirstOrDefault(s => s.Name == name);
        if (storage is not null) return new(name, Below(storage.Location, vaultKey).ToString()!);
        var known = named.Count == 0 ? "it has no named storages" : "it has " + string.Join(", ", named.Select(s => s.Name));
        throw new BackupRefusedException(BackupRefusal.InvalidInput, $"This server has no storage '{name}'; {known}.");
    }

    public IVaultPlace Open(Guid vaultKey, VaultStorage? storage)
    {
        if (storage is null) return own.Open(vaultKey, null);
        var present = named.FirstOrDefault(s => s.Name == storage.Name);
        var location = present is null ? VaultLocation.Parse(storage.Location) : Below(present.Location, vaultKey);
        return location is FolderLocation folder ? new FolderPlace(folder.Path, true) : new RemotePlace(VaultPlace.Open(location, budget, time));
    }

    public IReadOnlyList<Guid> ListKeys() => own.ListKeys();

    /// <summary>The configured places that cannot be reached, by name, with the reason.</summary>
    public async Task<IReadOnlyList<(string Name, string Why)>> FindUnreachableAsync(CancellationToken cancellationToken)
    {
        var all = named.Select(s => (s.Name, s.Location)).Concat(standard is null ? [] : [("default", standard)]);
        return [.. (await Task.WhenAll(all.Select(async s => (s.Name, Why: await WhyNotAsync(s.Location, cancellationToken))))).Where(s => s.Why is not null).Select(s => (s.Name, s.Why!))];
    }

    private static VaultLocation Below(VaultLocation location, Guid vaultKey) => location.Below(vaultKey.ToString("N"));

    private async Task<string?> WhyNotAsync(VaultLocation location, CancellationToken cancellationToken)
    {
        if (location is FolderLocation folder) return Directory.Exists(folder.Path) ? null : $"the folder '{folder.Path}' is not there";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            using var place = VaultPlace.Open(location, null, time);
            await place.Backend.GetLengthAsync("vault.json", limit.Token);
            return null;
        }
        catch (StoreException e) { return e.Message; }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested) { return $"'{location}' does not answer"; }
    }

    /// <summary>A vault's store on a cloud service.</summary>
    private sealed class RemotePlace(VaultPlace place) : IVaultPlace
    {
        public IBlobBackend Backend => place.Backend;

        public string Text => place.Location.ToString()!;

        /// <summary>Containers and buckets are the operator's; below them nothing need be made.</summary>
        public void Prepare() { }

        public async Task DestroyAsync(CancellationToken cancellationToken)
        {
            // First what makes it a vault: what is left by a deletion that is cut off opens no more.
            await Backend.DeleteAsync("vault.json", cancellationToken);
            var names = new List<string>();
            await foreach (var blob in Backend.ListAsync("", cancellationToken)) names.Add(blob.Name);
            foreach (var name in names) await Backend.DeleteAsync(name, cancellationToken);
        }

        public void Dispose() => place.Dispose();
    }
}
