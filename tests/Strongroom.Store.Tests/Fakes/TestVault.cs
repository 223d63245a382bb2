using Microsoft.Extensions.Time.Testing;

namespace Strongroom.Store.Tests.Fakes;

/// <summary>Short ways to do with a vault what tests do often.</summary>
internal static class TestVault
{
    public static readonly MasterKeyFile Key = new([.. Enumerable.Range(1, 32).Select(i => (byte)i)]);

    /// <summary>Small packs and buffers, so that small images reach every limit.</summary>
    public static readonly VaultStoreOptions Small = new() { PackSizeBytes = 1 << 20, IndexBufferRecords = 16, VerifyEvery = 4, Workers = 3 };

    /// <summary>Without grace, and only packs that are wholly dead.</summary>
    public static readonly CollectOptions AtOnce = new() { Grace = TimeSpan.Zero, CompactBelow = 0 };

    /// <summary>Without grace, and every pack that is not wholly live is compacted.</summary>
    public static readonly CollectOptions Compact = new() { Grace = TimeSpan.Zero, CompactBelow = 0.99, GreatestShareToCompact = 1 };

    public static FakeTimeProvider Clock() => new(new DateTimeOffset(2026, 11, 1, 12, 0, 0, TimeSpan.Zero));

    public static Task<VaultStore> CreateAsync(IBlobBackend backend, VaultStoreOptions? options = null) =>
        VaultStore.CreateAsync(backend, Key, options ?? Small, Clock(), CancellationToken.None);

    public static Task<VaultStore> OpenAsync(IBlobBackend backend, VaultStoreOptions? options = null) =>
        VaultStore.OpenAsync(backend, Key, options ?? Small, Clock(), CancellationToken.None);

    public static async Task<VaultStore> OpenOrCreateAsync(IBlobBackend backend, VaultStoreOptions? options = null) =>
        await VaultStore.ExistsAsync(backend, CancellationToken.None) ? await OpenAsync(backend, options) : await CreateAsync(backend, options);

    public static SnapshotDraft Draft(params ImageRef[] images) => new()
    {
        Id = new(Guid.NewGuid()),
        ItemId = "vm1",
        Images = [.. images.Select((image, lun) => new SnapshotImage(lun, $"disk{lun}", image))],
        Consistency = "crash",
        Configuration = "{\"name\":\"vm1\"}"u8.ToArray(),
    };

    public static async Task<Snapshot> BackUpAsync(this VaultStore vault, SparseDisk disk, ImageRef? parent = null)
    {
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        var image = await session.WriteImageAsync(disk, parent, null, CancellationToken.None);
        return await session.CommitAsync(Draft(image), CancellationToken.None);
    }

    public static async Task<(ImageRef Image, SessionStatistics Statistics)> BackUpCountedAsync(this VaultStore vault, SparseDisk disk, ImageRef? parent = null)
    {
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        var image = await session.WriteImageAsync(disk, parent, null, CancellationToken.None);
        await session.CommitAsync(Draft(image), CancellationToken.None);
        return (image, session.Statistics);
    }

    public static async Task<SparseDisk> RestoreAsync(this VaultStore vault, ImageRef image)
    {
        var disk = new SparseDisk(image.LengthBytes);
        await vault.RestoreAsync(image, disk, null, CancellationToken.None);
        return disk;
    }

    public static async Task AssertRestoresAsync(this VaultStore vault, ImageRef image, SparseDisk expected) =>
        expected.AssertSame(await vault.RestoreAsync(image));

    /// <summary>Bytes that do not compress, the same for the same seed.</summary>
    public static byte[] Noise(int seed, int count)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Bytes that compress, the same for the same seed.</summary>
    public static byte[] Prose(int seed, int count)
    {
        var random = new Random(seed);
        var bytes = new byte[count];
        for (var i = 0; i < count; i++)
            bytes[i] = (byte)("etaoin shrdlu"[random.Next(13)]);
        return bytes;
    }
}
