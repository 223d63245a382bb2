using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests;

/// <summary>A vault is read with the right to read alone, whatever a writer that died has left to be tidied up.</summary>
public sealed class ReadingRightTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_whole_vault_opens_and_restores()
    {
        var storage = new MemoryBackend();
        await AssertReadableAsync(storage, await MakeAsync(storage));
    }

    [Fact]
    public async Task An_index_segment_that_is_damaged_keeps_nobody_out()
    {
        var storage = new MemoryBackend();
        var made = await MakeAsync(storage);
        var name = (await storage.AllAsync("idx/"))[0].Name;
        var content = await storage.ContentAsync(name);
        content[^1] ^= 1;
        await storage.ReplaceAsync(name, content);
        await AssertReadableAsync(storage, made);

        // Who may write tidies up.
        await using (await TestVault.OpenAsync(storage))
            Assert.DoesNotContain(name, (await storage.AllAsync("idx/")).Select(blob => blob.Name));
    }

    [Fact]
    public async Task An_index_segment_that_a_merge_has_replaced_keeps_nobody_out()
    {
        var storage = new MemoryBackend();
        var made = await MakeAsync(storage);
        var name = (await storage.AllAsync("idx/"))[0].Name;
        await storage.PutIfAbsentAsync(name[..^16] + "0123456789abcdef", await storage.ContentAsync(name), None);
        await AssertReadableAsync(storage, made);
    }

    [Fact]
    public async Task An_older_generation_of_the_keys_keeps_nobody_out()
    {
        var storage = new MemoryBackend();
        var made = await MakeAsync(storage);
        var older = (await storage.AllAsync("keys/"))[0].Name;
        var content = await storage.ContentAsync(older);
        await using (var vault = await TestVault.OpenAsync(storage))
            await vault.Keys.RotateAsync(None);
        await storage.PutIfAbsentAsync(older, content, None);
        await AssertReadableAsync(storage, made);
        await using (await TestVault.OpenAsync(storage))
            Assert.DoesNotContain(older, (await storage.AllAsync("keys/")).Select(blob => blob.Name));
    }

    [Fact]
    public async Task A_change_of_the_keys_that_died_before_its_entry_keeps_nobody_out()
    {
        var storage = new MemoryBackend();
        var made = await MakeAsync(storage);
        var dead = await storage.CopyAsync();
        await using (var vault = await TestVault.OpenAsync(storage))
            await vault.Keys.RotateAsync(None);
        var newer = Assert.Single(await storage.AllAsync("keys/")).Name;
        await dead.PutIfAbsentAsync(newer, await storage.ContentAsync(newer), None);
        await AssertReadableAsync(dead, made);

        // Who may write finishes it.
        await using (var vault = await TestVault.OpenAsync(dead))
            Assert.Equal(2, vault.Keys.Generation);
        Assert.Equal(newer, Assert.Single(await dead.AllAsync("keys/")).Name);
    }

    [Fact]
    public async Task A_change_of_the_keys_whose_entry_found_no_room_keeps_nobody_out_and_is_entered_before_the_next_backup()
    {
        var storage = new MemoryBackend();
        var made = await MakeAsync(storage);
        var dead = await storage.CopyAsync();
        var older = Assert.Single(await storage.AllAsync("keys/")).Name;
        var content = await storage.ContentAsync(older);
        await using (var vault = await TestVault.OpenAsync(storage))
            await vault.Keys.RotateAsync(None);
        var newer = Assert.Single(await storage.AllAsync("keys/")).Name;
        await dead.PutIfAbsentAsync(newer, await storage.ContentAsync(newer), None);
        var full = new FullBackend(dead);
        full.SetRoom(0);
        await using (var vault = await TestVault.OpenAsync(full))
        {
            await vault.AssertRestoresAsync(made.Image, made.Disk);
            Assert.True((await vault.VerifyAsync(readData: true, null, None)).IsHealthy);
            Assert.Equal(StoreErrorKind.Full, (await Assert.ThrowsAsync<StoreException>(() => vault.OpenSessionAsync(None))).Kind);
            full.SetRoom(long.MaxValue);
            await vault.BackUpAsync(made.Disk);
        }

        // The log knows the change: what was before it is refused.
        await dead.DeleteAsync(newer, None);
        await dead.PutIfAbsentAsync(older, content, None);
        Assert.Equal(StoreErrorKind.Corrupt, (await Assert.ThrowsAsync<StoreException>(() => TestVault.OpenAsync(dead))).Kind);
    }

    private static async Task<(ImageRef Image, SparseDisk Disk)> MakeAsync(MemoryBackend storage)
    {
        var disk = new SparseDisk(16 << 20);
        disk.Write(0, TestVault.Noise(1, 12 << 20));
        await using var vault = await TestVault.CreateAsync(storage);
        return ((await vault.BackUpAsync(disk)).Images[0].Image, disk);
    }

    private static async Task AssertReadableAsync(MemoryBackend storage, (ImageRef Image, SparseDisk Disk) made)
    {
        var before = await storage.AllAsync("");
        await using var vault = await TestVault.OpenAsync(new ReadingOnly(storage));
        await vault.AssertRestoresAsync(made.Image, made.Disk);
        Assert.True((await vault.VerifyAsync(readData: true, null, None)).IsHealthy);
        Assert.Equal(before, await storage.AllAsync(""));
    }

    /// <summary>What a service is for credentials that may read and list.</summary>
    private sealed class ReadingOnly(IBlobBackend inner) : PassThroughBackend(inner)
    {
        public override ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken) => throw Refused(name);

        public override ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => throw Refused(name);

        public override ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) => throw Refused(name);

        private static StoreException Refused(string name) => new(StoreErrorKind.AccessDenied, $"These credentials may not change '{name}'.");
    }
}
