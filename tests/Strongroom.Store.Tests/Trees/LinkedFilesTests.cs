using Strongroom.Store.Streams;
using Strongroom.Store.Tests.Fakes;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Tests.Trees;

/// <summary>Which names are names of one file.</summary>
public sealed class LinkedFilesTests
{
    [Fact]
    public void A_number_that_was_given_to_a_new_file_does_not_make_it_the_old_one()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["file"], "x");
        using var handle = FolderHandle.Open(folder.Path);
        var stat = handle.Stat("file"u8) with { Links = 2 };
        var linked = new LinkedFiles();
        Assert.True(linked.Claim(stat));
        Assert.True(linked.Claim(stat with { LengthBytes = 2, ChangedAt = default }));
        Assert.False(linked.Claim(stat with { BornAt = new(stat.BornAt.Seconds + 1, 0) }));
        Assert.True(linked.Claim(stat with { Device = stat.Device + 1, BornAt = default }));
    }

    [Fact]
    public void When_a_file_was_born_is_read()
    {
        using var folder = new TemporaryFolder();
        var before = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        File.WriteAllText(folder["file"], "x");
        File.SetLastWriteTimeUtc(folder["file"], DateTime.UnixEpoch);
        using var handle = FolderHandle.Open(folder.Path);
        var born = handle.Stat("file"u8).BornAt.Seconds;
        Assert.SkipWhen(born == 0, "The file system does not keep it.");
        Assert.InRange(born, before - 2, before + 60);
    }

    [Fact]
    public async Task A_file_that_is_alone_is_stored_as_one()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["file"], "x", CancellationToken.None);
        using var handle = FolderHandle.Open(folder.Path);
        Assert.True(handle.TryLink(handle, "file"u8, "further"u8));
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        using var pump = new ChunkPump(session, vault.Packs.Ring.IdKey, 1);
        var files = new FileEntries(vault.Manifests, session, new(pump, [], []), TimeProvider.System, static _ => true);
        foreach (var isAlone in (bool[])[false, true])
        {
            using var file = handle.OpenFile("file"u8);
            var entry = await files.ReadFileAsync(file, "file"u8.ToArray(), 0, null, new WalkedFolder(null, [], handle.Stat()), isAlone, CancellationToken.None);
            Assert.Equal(isAlone ? 1u : 2u, entry!.Links);
        }
    }
}
