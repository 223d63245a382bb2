using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Governance;

/// <summary>Short ways to do what tests of deletion and locks do often.</summary>
internal static class GovernedVault
{
    public static readonly DateTimeOffset Start = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    public static Task<VaultStore> OpenOrCreateAsync(IBlobBackend backend, TimeProvider time, bool guardsClock = true) =>
        OpenOrCreateAsync(backend, time, TestVault.Small with { GuardsClock = guardsClock });

    public static async Task<Snapshot> CommitAsync(this VaultStore vault, DateTimeOffset? lockedUntil = null)
    {
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        return await session.CommitAsync(TestVault.Draft() with { LockedUntil = lockedUntil }, CancellationToken.None);
    }

    public static async Task AssertAsync(this Task task, StoreErrorKind kind, string contains)
    {
        var failure = await Assert.ThrowsAsync<StoreException>(() => task);
        Assert.Equal(kind, failure.Kind);
        Assert.Contains(contains, failure.Message, StringComparison.Ordinal);
    }

    private static async Task<VaultStore> OpenOrCreateAsync(IBlobBackend backend, TimeProvider time, VaultStoreOptions options) =>
        await VaultStore.ExistsAsync(backend, CancellationToken.None)
            ? await VaultStore.OpenAsync(backend, TestVault.Key, options, time, CancellationToken.None)
            : await VaultStore.CreateAsync(backend, TestVault.Key, options, time, CancellationToken.None);
}
