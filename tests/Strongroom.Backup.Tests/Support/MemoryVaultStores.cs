using System.Collections.Concurrent;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.Tests.Support;

/// <summary>Vaults' stores in memory, which outlive a restart of the server.</summary>
internal sealed class MemoryVaultStores(IKeyEncryptionKey key, TimeProvider time) : IVaultStores, IAsyncDisposable
{
    private readonly ConcurrentDictionary<Guid, MemoryBackend> _backends = new();
    private readonly ConcurrentDictionary<Guid, Lazy<Task<VaultStore>>> _open = new();

    public List<Guid> Deleted { get; } = [];

    /// <summary>Thrown instead of opening, if set.</summary>
    public Exception? Failure { get; set; }

    public Task<VaultStore> OpenAsync(Guid vaultKey, CancellationToken cancellationToken) =>
        Failure is { } failure ? throw failure : _open.GetOrAdd(vaultKey, k => new(() => OpenNowAsync(k))).Value;

    public async Task<VaultStore?> FindAsync(Guid vaultKey, CancellationToken cancellationToken) =>
        Failure is { } failure ? throw failure : _backends.ContainsKey(vaultKey) ? await OpenAsync(vaultKey, cancellationToken) : null;

    public Task DeleteAsync(Guid vaultKey, VaultStorage? storage, CancellationToken cancellationToken)
    {
        if (Failure is { } failure) throw failure;
        Deleted.Add(vaultKey);
        _open.TryRemove(vaultKey, out _);
        _backends.TryRemove(vaultKey, out _);
        return Task.CompletedTask;
    }

    /// <summary>What is put before a vault's blobs when it is opened.</summary>
    public Func<IBlobBackend, IBlobBackend> Before { get; set; } = static backend => backend;

    /// <summary>Loses all blobs of a vault whose names begin with a prefix, as a bad disk does; the stores are opened anew.</summary>
    public async Task LoseAsync(Guid vaultKey, string prefix)
    {
        await RestartAsync();
        var backend = _backends[vaultKey];
        var lost = new List<string>();
        await foreach (var blob in backend.ListAsync(prefix, CancellationToken.None)) lost.Add(blob.Name);
        Assert.NotEmpty(lost);
        foreach (var name in lost) await backend.DeleteAsync(name, CancellationToken.None);
    }

    /// <summary>How many blobs of a vault have names that begin with a prefix.</summary>
    public ValueTask<int> CountAsync(Guid vaultKey, string prefix, CancellationToken cancellationToken) => _backends[vaultKey].ListAsync(prefix, cancellationToken).CountAsync(cancellationToken);

    /// <summary>What lies under a vault's store, for tests that damage it.</summary>
    public MemoryBackend BackendOf(Guid vaultKey) => _backends[vaultKey];

    /// <summary>Closes all stores; the next use opens them from what was committed.</summary>
    public async Task RestartAsync()
    {
        foreach (var store in _open.Values) await (await store.Value).DisposeAsync();
        _open.Clear();
    }

    public async ValueTask DisposeAsync() => await RestartAsync();

    private async Task<VaultStore> OpenNowAsync(Guid vaultKey)
    {
        var backend = Before(_backends.GetOrAdd(vaultKey, _ => new()));
        // The tests move the time.
        var options = new VaultStoreOptions { PackSizeBytes = 1 << 20, Workers = 2, GuardsClock = false };
        return await VaultStore.ExistsAsync(backend, CancellationToken.None)
            ? await VaultStore.OpenAsync(backend, key, options, time, CancellationToken.None)
            : await VaultStore.CreateAsync(backend, key, options, time, CancellationToken.None);
    }
}
