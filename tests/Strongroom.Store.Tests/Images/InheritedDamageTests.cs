using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Images;

/// <summary>A chunk or node that rotted is not handed on to later backups, as long as the source still has its bytes.</summary>
public sealed class InheritedDamageTests
{
    private const int SlotBytes = 256 * 1024;

    /// <summary>So that the chunk that rotted, the first of its pack, is the first to be met.</summary>
    private static readonly VaultStoreOptions OneWorker = TestVault.Small with { Workers = 1 };

    [Fact]
    public async Task A_chunk_that_rotted_is_not_found_by_the_next_full_backup()
    {
        var (storage, disk, _) = await MakeAsync();
        await RotFirstChunksAsync(storage);
        await using var vault = await TestVault.OpenAsync(storage, OneWorker);
        var next = await vault.BackUpAsync(disk);
        await vault.AssertRestoresAsync(next.Images[0].Image, disk);
    }

    [Fact]
    public async Task A_chunk_that_rotted_is_not_shared_with_the_parent_when_all_is_read()
    {
        var (storage, disk, parent) = await MakeAsync();
        await RotFirstChunksAsync(storage);
        await using var vault = await TestVault.OpenAsync(storage, OneWorker);
        var next = await vault.BackUpAsync(disk, parent);
        await vault.AssertRestoresAsync(next.Images[0].Image, disk);
    }

    [Fact]
    public async Task Without_samples_the_first_reuse_of_each_pack_is_still_checked()
    {
        var (storage, disk, parent) = await MakeAsync();
        await RotFirstChunksAsync(storage);
        await using var vault = await TestVault.OpenAsync(storage, OneWorker with { ReadBackEvery = int.MaxValue });
        var next = await vault.BackUpCountedAsync(disk, parent);
        Assert.True(next.Statistics.BytesNew > 0);
        Assert.NotEmpty(vault.Packs.Suspects.All);
    }

    [Fact]
    public async Task Once_damage_is_known_a_backup_of_the_changes_reads_again_what_it_holds()
    {
        var (storage, disk, parent) = await MakeAsync();
        await RotFirstChunksAsync(storage);
        await using var vault = await TestVault.OpenAsync(storage);
        Assert.False((await vault.VerifyAsync(readData: true, null, CancellationToken.None)).IsHealthy);
        disk.MarkClean();
        disk.TracksChanges = true;
        var next = await vault.BackUpCountedAsync(disk, parent);
        Assert.True(next.Statistics.BytesRead > 0);
        await vault.AssertRestoresAsync(next.Image, disk);
    }

    [Fact]
    public async Task Damage_that_a_backup_of_the_changes_runs_into_does_not_fail_it()
    {
        var (storage, disk, parent) = await MakeAsync();
        foreach (var blob in await storage.AllAsync("packs/"))
            await storage.ReplaceAsync(blob.Name, [.. (await storage.ContentAsync(blob.Name)).Select((b, i) => i is > 70 and < 900_000 ? (byte)(b ^ 1) : b)]);
        await using var vault = await TestVault.OpenAsync(storage);
        disk.MarkClean();
        disk.TracksChanges = true;
        for (var slot = 0; slot < 3; slot++)
            disk.Write((slot * SlotBytes) + 9000, "changed"u8);
        var next = await vault.BackUpCountedAsync(disk, parent);
        var restored = await ReadAsync(vault, next.Image, 3 * SlotBytes);
        Assert.True(restored.AsSpan().SequenceEqual(disk.Range(0, 3 * SlotBytes)));
        var healed = await vault.BackUpCountedAsync(disk, next.Image);
        await vault.AssertRestoresAsync(healed.Image, disk);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_manifest_that_rotted_is_written_anew_from_what_the_source_has(bool tracks)
    {
        var (storage, disk, parent) = await MakeAsync();
        foreach (var blob in await storage.AllAsync("meta/"))
        {
            var content = await storage.ContentAsync(blob.Name);
            content[100] ^= 1;
            await storage.ReplaceAsync(blob.Name, content);
        }

        await using var vault = await TestVault.OpenAsync(storage);
        disk.MarkClean();
        disk.TracksChanges = tracks;
        disk.Write(5000, "changed"u8);
        var next = await vault.BackUpCountedAsync(disk, parent);
        await vault.AssertRestoresAsync(next.Image, disk);
        Assert.Equal(SlotBytes, next.Statistics.BytesNew);
    }

    private static async Task<(MemoryBackend Storage, SparseDisk Disk, ImageRef Image)> MakeAsync()
    {
        var storage = new MemoryBackend();
        await using var vault = await TestVault.CreateAsync(storage, OneWorker);
        var disk = new SparseDisk(8 * SlotBytes);
        disk.Write(0, TestVault.Noise(1, 8 * SlotBytes));
        return (storage, disk, (await vault.BackUpAsync(disk)).Images[0].Image);
    }

    private static async Task RotFirstChunksAsync(MemoryBackend storage)
    {
        foreach (var blob in await storage.AllAsync("packs/"))
        {
            var content = await storage.ContentAsync(blob.Name);
            content[200] ^= 1;
            await storage.ReplaceAsync(blob.Name, content);
        }
    }

    private static async Task<byte[]> ReadAsync(VaultStore vault, ImageRef image, int count)
    {
        await using var reader = await vault.OpenImageAsync(image, CancellationToken.None);
        var bytes = new byte[count];
        await reader.ReadAsync(0, bytes, CancellationToken.None);
        return bytes;
    }
}
