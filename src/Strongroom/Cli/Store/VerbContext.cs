using Strongroom.Store;
using Strongroom.Store.Locations;

namespace Strongroom.Cli.Store;

/// <summary>One run of a verb: where the vault is, its key, what may be asked of the storage each second, and where to talk to. Closes the vault at the end.</summary>
internal sealed class VerbContext(string location, string? keyFile, BackendBudget? budget, VerbConsole console, TimeProvider time) : IAsyncDisposable
{
    private VaultPlace? place;
    private VaultPlace? other;
    private VaultStore? vault;

    public string Location => location;

    public VerbConsole Console => console;

    public TimeProvider Time => time;

    /// <summary>Opens the vault that is there.</summary>
    public Task<VaultStore> OpenAsync(CancellationToken cancellationToken) => OpenAsync(new(), cancellationToken);

    /// <summary>As the other, worked with as the options say.</summary>
    public async Task<VaultStore> OpenAsync(VaultStoreOptions options, CancellationToken cancellationToken)
    {
        place ??= LocationArgument.OpenExisting(location, "Check the path, or make a vault with 'strongroom store init'.", budget, time);
        return vault = await VaultStore.OpenAsync(place.Backend, LoadKey(), options, time, cancellationToken);
    }

    /// <summary>Whether anybody named a key, for what needs none.</summary>
    public bool HasKey => VaultKey.FindOrNull(keyFile) is not null;

    /// <exception cref="UsageException">Nobody named a key.</exception>
    public IKeyEncryptionKey LoadKey() => VaultKey.Find(keyFile).Load();

    /// <summary>A second place, for a copy of the vault; the limits hold for both together.</summary>
    /// <param name="otherLocation">Where.</param>
    /// <param name="mustExist">False: a folder that is not there is made.</param>
    /// <exception cref="UsageException">It is the vault's own place, or none that is known.</exception>
    public VaultPlace OpenOther(string otherLocation, bool mustExist)
    {
        if (LocationArgument.Overlap(location, otherLocation))
            throw new UsageException($"'{otherLocation}' is the vault itself, or lies in it, or the vault in it. Name another place.");
        other = mustExist ? LocationArgument.OpenExisting(otherLocation, "Check the path.", budget, time) : LocationArgument.Open(otherLocation, budget, time);
        return other;
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
        await FreePlace.RequireAsync(location, place, cancellationToken);
        var isNewKey = !key.Exists;
        vault = await VaultStore.CreateAsync(place.Backend, key.LoadOrCreate(), new VaultStoreOptions(), time, cancellationToken);
        return (vault, key, isNewKey);
    }

    public async ValueTask DisposeAsync()
    {
        if (vault is not null)
            await vault.DisposeAsync();
        other?.Dispose();
        place?.Dispose();
    }
}
