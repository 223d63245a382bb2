using Strongroom.Store.Packs;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Images;

/// <summary>How often a vault on a service is asked: each request takes its time and has its price (<c>docs/performance.md</c>).</summary>
public sealed class ServiceReadTests
{
    private const int MiB = 1 << 20;
    private const int Disk = 128 * MiB;

    /// <summary>As vaults are made; only the number of workers does not depend on the machine.</summary>
    private static readonly VaultStoreOptions Usual = new() { Workers = 3 };

    [Fact]
    public async Task A_restore_reads_long_runs_and_its_manifest_in_few_requests()
    {
        var (backend, disk, first, second) = await MakeAsync();
        foreach (var image in (ImageRef[])[first, second])
        {
            var (asDisk, asService) = (await CountRestoreAsync(backend, ReadPattern.Disk, image), await CountRestoreAsync(backend, ReadPattern.Service, image));
            TestContext.Current.TestOutputHelper?.WriteLine($"restore: {asDisk} as on a disk, {asService} as on a service");
            Assert.True(asService.Requests * 2 < asDisk.Requests, $"{asService} instead of {asDisk}");
            Assert.InRange(asService.Bytes, 0, asDisk.Bytes * 5 / 4);

            // Runs of 4 MiB, the head of each pack, and the manifest.
            Assert.InRange(asService.Requests, 1, (asService.Bytes / (4 * MiB) * 2) + 20);
        }

        await using var vault = await TestVault.OpenAsync(backend, Usual);
        await vault.AssertRestoresAsync(second, disk);
    }

    [Fact]
    public async Task A_first_read_anywhere_asks_three_times_at_most_and_a_second_beside_it_not_at_all()
    {
        var (backend, disk, _, image) = await MakeAsync();
        var (buffer, expected) = (new byte[4096], new byte[4096]);
        for (var at = 3L * MiB; at < Disk * 3L / 4; at += 17 * MiB)
        {
            await using var vault = await TestVault.OpenAsync(backend, Usual);
            backend.Take();
            await using var reader = await vault.OpenImageAsync(image, CancellationToken.None);
            var opening = backend.Take();
            Assert.InRange(opening.Requests, 1, 2);
            await reader.ReadAsync(at, buffer, CancellationToken.None);
            var cold = backend.Take();
            TestContext.Current.TestOutputHelper?.WriteLine($"open {opening}, cold read {cold}");
            Assert.InRange(cold.Requests, 1, 3);
            await disk.ReadAsync(at, expected, CancellationToken.None);
            Assert.Equal(expected, buffer);
            await reader.ReadAsync(at + buffer.Length, buffer, CancellationToken.None);
            Assert.Equal(0, backend.Take().Requests);
        }
    }

    [Fact]
    public async Task Small_files_that_lie_side_by_side_are_restored_with_few_requests()
    {
        using var folder = new TemporaryFolder();
        var source = Path.Combine(folder.Path, "source");
        Directory.CreateDirectory(source);
        for (var i = 0; i < 400; i++)
            await File.WriteAllBytesAsync(Path.Combine(source, $"{i:d4}"), TestVault.Noise(i, 9000), TestContext.Current.CancellationToken);
        var backend = new CountingBackend();
        TreeRef tree;
        await using (var vault = await TestVault.CreateAsync(backend, Usual))
            tree = (await vault.StoreTreeAsync(source)).Result.Tree;

        await using var again = await TestVault.OpenAsync(backend, Usual);
        backend.Take();
        await again.RestoreTreeAsync(tree, Path.Combine(folder.Path, "target"));
        var counted = backend.Take();
        TestContext.Current.TestOutputHelper?.WriteLine($"400 files: {counted}");
        Assert.InRange(counted.Requests, 1, 60);
        Assert.InRange(counted.Bytes, 400 * 9000, 400 * 9000 * 2);
        for (var i = 0; i < 400; i++)
            Assert.Equal(TestVault.Noise(i, 9000), await File.ReadAllBytesAsync(Path.Combine(folder.Path, "target", $"{i:d4}"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_block_that_came_with_wrong_bits_is_not_kept()
    {
        var (backend, disk, _, image) = await MakeAsync();
        await using var vault = await TestVault.OpenAsync(backend, Usual);
        backend.Misread(PackFormat.FolderOf(PackContent.Nodes));
        var failure = await Assert.ThrowsAsync<StoreException>(() => vault.RestoreAsync(image));
        Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
        await vault.AssertRestoresAsync(image, disk);
    }

    /// <summary>A disk of noise but for a hole, and then 1 % of it changed all over.</summary>
    private static async Task<(CountingBackend Backend, SparseDisk Disk, ImageRef First, ImageRef Second)> MakeAsync()
    {
        var backend = new CountingBackend();
        var disk = new SparseDisk(Disk);
        disk.Write(0, TestVault.Noise(1, Disk * 3 / 4));
        disk.Write((Disk / 8 * 7L) + 5, TestVault.Noise(2, Disk / 16));
        await using var vault = await TestVault.CreateAsync(backend, Usual);
        var first = (await vault.BackUpAsync(disk)).Images[0].Image;
        for (var i = 0; i < 40; i++)
            disk.Write(i * 2300L * 1024, TestVault.Noise(100 + i, 64 << 10));
        return (backend, disk, first, (await vault.BackUpAsync(disk, first)).Images[0].Image);
    }

    private static async Task<(long Requests, long Bytes)> CountRestoreAsync(CountingBackend backend, ReadPattern reads, ImageRef image)
    {
        backend.Reads = reads;
        await using var vault = await TestVault.OpenAsync(backend, Usual);
        backend.Take();
        await vault.RestoreAsync(image);
        return backend.Take();
    }
}
