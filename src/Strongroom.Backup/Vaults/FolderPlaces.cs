using Strongroom.Store;

namespace Strongroom.Backup.Vaults;

/// <summary>The server's own folder of stores: one folder for each, named by the vault's key. Thread-safe.</summary>
/// <param name="folder">The caller holds the data folder's lock, so no other server writes here.</param>
public sealed class FolderPlaces(string folder) : IVaultPlaces
{
    public VaultStorage? Choose(Guid vaultKey, string? name) =>
        name is null ? null : throw new BackupRefusedException(BackupRefusal.InvalidInput, $"This server has no storage '{name}'; it has no named storages.");

    public IVaultPlace Open(Guid vaultKey, VaultStorage? storage) => new FolderPlace(storage?.Location ?? PathOf(vaultKey), false);

    public IReadOnlyList<Guid> ListKeys()
    {
        if (!Directory.Exists(folder)) return [];
        foreach (var doomed in Directory.GetDirectories(folder, "*.deleted")) Directory.Delete(doomed, true);
        return [.. Directory.GetDirectories(folder).Select(Path.GetFileName).Where(n => Guid.TryParseExact(n, "N", out _)).Select(n => Guid.ParseExact(n!, "N"))];
    }

    private string PathOf(Guid key) => Path.Combine(folder, key.ToString("N"));
}

/// <summary>A vault's store in a folder.</summary>
/// <param name="path">The store's own folder.</param>
/// <param name="isElsewhere">The folder above it is the operator's (a mounted disk, say) and is never made.</param>
public sealed class FolderPlace(string path, bool isElsewhere) : IVaultPlace
{
    private readonly LocalBackend _backend = new(path);

    public IBlobBackend Backend => _backend;

    public string Text => path;

    public void Prepare()
    {
        var above = Path.GetDirectoryName(path);
        if (isElsewhere && !Directory.Exists(above))
            throw new StoreException(StoreErrorKind.Io, $"The folder '{above}', where stores of vaults go, is not there. Is its disk mounted?");
        Directory.CreateDirectory(path);
    }

    public Task DestroyAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(path)) return Task.CompletedTask;
        // Renamed first: a deletion that is cut off must not leave something that looks like a vault with holes.
        var doomed = path + ".deleted";
        if (Directory.Exists(doomed)) Directory.Delete(doomed, true);
        Directory.Move(path, doomed);
        Directory.Delete(doomed, true);
        return Task.CompletedTask;
    }

    public void Dispose() => _backend.Dispose();
}
