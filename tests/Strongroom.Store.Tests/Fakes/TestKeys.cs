namespace Strongroom.Store.Tests.Fakes;

/// <summary>Keys to open vaults with.</summary>
internal static class TestKeys
{
    public static MasterKeyFile File(int seed) => new([.. Enumerable.Range(seed, 32).Select(i => (byte)i)]);

    /// <summary>Quick to derive.</summary>
    public static PassphraseKey Passphrase(string passphrase) => new(passphrase, 10);

    public static Task<VaultStore> OpenAsync(this IKeyEncryptionKey key, IBlobBackend backend, VaultStoreOptions? options = null) =>
        VaultStore.OpenAsync(backend, key, options ?? TestVault.Small, TestVault.Clock(), CancellationToken.None);

    public static async Task AssertOpensAsync(this IKeyEncryptionKey key, IBlobBackend backend) =>
        await (await key.OpenAsync(backend)).DisposeAsync();

    public static async Task<StoreException> AssertRefusedAsync(this IKeyEncryptionKey key, IBlobBackend backend, StoreErrorKind kind)
    {
        var failure = await Assert.ThrowsAsync<StoreException>(() => key.OpenAsync(backend));
        Assert.Equal(kind, failure.Kind);
        return failure;
    }
}
