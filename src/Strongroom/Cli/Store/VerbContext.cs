using Strongroom.Store;
using Strongroom.Store.Locations;

namespace Strongroom.Cli.Store;

/// <summary>One run of a verb: where the vault is, its key, what may be asked of the storage each second, and where to talk to. Closes the vault at the end.</summary>
internal sealed class VerbContext(string location, string? keyFile, BackendBudget? budget, VerbConsole console, TimeProvider time) : IAsyncDisposable
{
    private VaultPlace? place;
    private VaultStore? vault;

    public string Location => location;

    public VerbConsole Console => console;

    public TimeProvider Time => time;

    /// <summary>Opens the vault that is there.</summary>
    public async Task<VaultStore> OpenAsync(CancellationToken cancellationToken)
    {
        place = LocationArgument.OpenExisting(location, "Check the path, or make a vault with 'strongroom store init'.", budget, time);
        var key = VaultKey.Find(keyFile).Load();
        return vault = await VaultStore.OpenAsync(place.Backend, key, new VaultStoreOptions(), time, cancellationToken);
    }

    /// <summary>The place itself, whether or not a vault is in it; a folder must be there.</summary>
    public IBlobBackend OpenPlace()
    {
        place = LocationArgument.OpenExisting(location, "Make the folder first, or check the path.", budget, time);
        return place.Backend;
    }

    /// <summary>Makes a vault where none is; and its key, where that is missing.</summary>
    public async Task<(VaultStore Vault, VaultKey Key, bool IsNewKey)> CreateAsync(CancellationToken cancellationToken)
    {
        place = LocationArgument.Open(location, budget, time);
        var key = VaultKey.Find(keyFile);

        // Before the key is made: a mistyped vault shall not leave a key behind.
        if (await VaultStore.ExistsAsync(place.Backend, cancellationToken))
            throw new StoreException(StoreErrorKind.AlreadyExists, $"'{location}' is a vault already. Use it, or choose another place.");
        var isNewKey = !key.Exists;
        vault = await VaultStore.CreateAsync(place.Backend, key.LoadOrCreate(), new VaultStoreOptions(), time, cancellationToken);
        return (vault, key, isNewKey);
    }

    public async ValueTask DisposeAsync()
    {
        if (vault is not null)
            await vault.DisposeAsync();
        place?.Dispose();
    }
}
