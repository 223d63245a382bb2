using Strongroom.Store.Journals;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Journals;

/// <summary>A backup that died is gone on with where it was.</summary>
public class ResumeTests
{
    private const long LeafBytes = 64L << 20;
    private const int LeafCount = 6;
    private const int PageBytes = 4096;
    private static readonly VaultStoreOptions Options = TestVault.Small with { JournalLeaves = 1, PackSizeBytes = 256 << 10, ReadBackEvery = 1, Workers = 1 };
    private static readonly CollectOptions WithGrace = new() { CompactBelow = 0 };
    private readonly MemoryBackend backend = new();

    [Fact]
    public async Task A_later_session_reads_only_what_was_not_settled()
    {
        var disk = Disk();
        await DieAsync(disk);
        Assert.NotEmpty(await backend.AllAsync("sess/"));

        await using var vault = await TestVault.OpenAsync(backend, Options);
        var (image, statistics) = await vault.BackUpCountedAsync(disk);

        Assert.True(statistics.BytesResumed >= 4 * LeafBytes, $"Only {statistics.BytesResumed} bytes were gone on with.");
        Assert.Equal(0, statistics.BytesResumed % LeafBytes);
        Assert.Equal(disk.LengthBytes, statistics.BytesScanned);
        Assert.DoesNotContain(disk.PagesRead, page => page * PageBytes < statistics.BytesResumed);
        Assert.Empty(await backend.AllAsync("sess/"));
        await vault.AssertRestoresAsync(image, disk);
        Assert.True((await vault.VerifyAsync(true, null, CancellationToken.None)).IsHealthy);
    }

    [Fact]
    public async Task With_a_parent_leaves_that_equal_it_or_became_holes_are_settled_too()
    {
        var disk = Disk();
        ImageRef parent;
        await using (var vault = await TestVault.CreateAsync(backend, Options))
            parent = (await vault.BackUpAsync(disk)).Images[0].Image;
        disk.KnowsHoles = false;
        disk.Write(LeafBytes + 4096, TestVault.Noise(77, 5000));
        disk.Write(LeafBytes + (1 << 20), TestVault.Noise(78, 300_000));
        disk.Punch(2 * LeafBytes, LeafBytes);
        await DieAsync(disk, parent, LeafCount - 2);

        await using var again = await TestVault.OpenAsync(backend, Options);
        var (image, statistics) = await again.BackUpCountedAsync(disk, parent);

        Assert.True(statistics.BytesResumed >= 4 * LeafBytes, $"Only {statistics.BytesResumed} bytes were gone on with.");
        Assert.Equal(disk.LengthBytes - statistics.BytesResumed, statistics.BytesRead);
        await again.AssertRestoresAsync(image, disk);
    }

    [Theory]
    [InlineData("token")]
    [InlineData("none")]
    [InlineData("length")]
    [InlineData("parent")]
    public async Task Another_source_is_read_whole(string what)
    {
        var disk = Disk();
        ImageRef? parent = null;
        await using (var vault = await TestVault.CreateAsync(backend, Options))
            parent = (await vault.BackUpAsync(new SparseDisk(disk.LengthBytes))).Images[0].Image;
        await DieAsync(disk);
        disk.ResumeToken = what switch { "token" => "snapshot 2", "none" => null, _ => disk.ResumeToken };
        var other = what == "length" ? disk.Resize(disk.LengthBytes + 4096) : disk;
        other.ResumeToken = disk.ResumeToken;

        await using var again = await TestVault.OpenAsync(backend, Options);
        var (image, statistics) = await again.BackUpCountedAsync(other, what == "parent" ? parent : null);

        Assert.Equal(0, statistics.BytesResumed);
        await again.AssertRestoresAsync(image, other);
    }

    [Fact]
    public async Task A_journal_that_was_tampered_with_is_not_believed()
    {
        var disk = Disk();
        await DieAsync(disk);
        foreach (var (blob, i) in (await backend.AllAsync("sess/")).Select((blob, i) => (blob, i)))
        {
            var bytes = await backend.ContentAsync(blob.Name);
            if (i % 3 == 0)
                bytes = bytes[..(bytes.Length / 2)];
            else
                bytes[i % 3 == 1 ? bytes.Length / 2 : 12] ^= 1;
            await backend.ReplaceAsync(blob.Name, bytes);
        }

        await using var vault = await TestVault.OpenAsync(backend, Options);
        var (image, statistics) = await vault.BackUpCountedAsync(disk);

        Assert.Equal(0, statistics.BytesResumed);
        await vault.AssertRestoresAsync(image, disk);
    }

    [Fact]
    public async Task A_journal_of_one_source_is_not_believed_of_another()
    {
        var disk = Disk();
        await DieAsync(disk);
        var stolen = await backend.AllAsync("sess/");
        var other = Disk(seed: 500);
        other.ResumeToken = "another disk";
        await DieAsync(other, noted: 2 * (LeafCount - 1));
        var target = (await backend.AllAsync("sess/")).First(blob => stolen.All(old => old.Name[..37] != blob.Name[..37]));
        foreach (var blob in stolen)
            await backend.PutIfAbsentAsync(target.Name[..37] + blob.Name[37..], await backend.ContentAsync(blob.Name), CancellationToken.None);

        await using var vault = await TestVault.OpenAsync(backend, Options);
        var image = (await vault.BackUpAsync(other)).Images[0].Image;

        await vault.AssertRestoresAsync(image, other);
    }

    [Fact]
    public async Task Leaves_of_packs_that_were_collected_meanwhile_are_read_again()
    {
        var disk = Disk();
        await DieAsync(disk);
        var journals = await backend.AllAsync("sess/");
        await using var vault = await TestVault.OpenAsync(backend, Options);
        var contents = await Task.WhenAll(journals.Select(blob => backend.ContentAsync(blob.Name)));
        var report = await vault.CollectAsync([], TestVault.AtOnce, CancellationToken.None);
        Assert.True(report.PacksDeleted > 0);
        Assert.Empty(await backend.AllAsync("sess/"));
        foreach (var (blob, content) in journals.Zip(contents))
            await backend.PutIfAbsentAsync(blob.Name, content, CancellationToken.None);

        var (image, statistics) = await vault.BackUpCountedAsync(disk);

        Assert.Equal(0, statistics.BytesResumed);
        await vault.AssertRestoresAsync(image, disk);
    }

    [Fact]
    public async Task A_damaged_chunk_is_read_again()
    {
        var disk = Disk();
        await DieAsync(disk);
        var pack = (await backend.AllAsync("packs/"))[0];
        var bytes = await backend.ContentAsync(pack.Name);
        bytes[2000] ^= 1;
        await backend.ReplaceAsync(pack.Name, bytes);

        await using var vault = await TestVault.OpenAsync(backend, Options);
        var (image, statistics) = await vault.BackUpCountedAsync(disk);

        Assert.True(statistics.BytesResumed > 0, statistics.ToString());
        await vault.AssertRestoresAsync(image, disk);
    }

    [Fact]
    public async Task A_collection_within_the_grace_leaves_a_dead_session_its_work()
    {
        var disk = Disk();
        await using var vault = await TestVault.CreateAsync(backend, Options);
        disk.FailsFrom = 5 * LeafBytes;
        disk.BeforeFailing = () => UntilNotedAsync(vault, 5);
        await Assert.ThrowsAsync<IOException>(() => vault.BackUpAsync(disk));
        disk.FailsFrom = long.MaxValue;
        await vault.CollectAsync([], WithGrace, CancellationToken.None);
        Assert.NotEmpty(await backend.AllAsync("sess/"));

        var (image, statistics) = await vault.BackUpCountedAsync(disk);

        Assert.True(statistics.BytesResumed >= 4 * LeafBytes);
        await vault.AssertRestoresAsync(image, disk);
        Assert.Empty(vault.PacksInUse(TimeSpan.FromDays(1)));
    }

    [Fact]
    public async Task A_commit_is_refused_when_what_was_gone_on_with_is_swept_before_it()
    {
        var disk = Disk();
        await DieAsync(disk);
        await using var vault = await TestVault.OpenAsync(backend, Options);
        await using var other = await TestVault.OpenAsync(backend, Options);
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        var image = await session.WriteImageAsync(disk, null, null, CancellationToken.None);
        Assert.True(session.Statistics.BytesResumed > 0);
        await other.CollectAsync([], TestVault.AtOnce, CancellationToken.None);

        var failure = await Assert.ThrowsAsync<StoreException>(() => session.CommitAsync(TestVault.Draft(image), CancellationToken.None));

        Assert.Equal(StoreErrorKind.Conflict, failure.Kind);
    }

    [Fact]
    public async Task Wherever_the_process_dies_the_next_one_completes_the_backup()
    {
        var deaths = Enum.GetValues<Death>();
        for (var at = 0; ; at++)
        {
            var storage = new MemoryBackend();
            await (await TestVault.CreateAsync(storage, Options)).DisposeAsync();
            var disk = Disk(leaves: 3);
            var dying = new DyingBackend(storage, at, deaths[at % deaths.Length]);
            try
            {
                await using var vault = await TestVault.OpenAsync(dying, Options);
                await vault.BackUpAsync(disk);
            }
            catch (StoreException)
            {
                // It died.
            }

            await using var again = await TestVault.OpenAsync(storage, Options);
            var image = (await again.BackUpAsync(disk)).Images[0].Image;
            await again.AssertRestoresAsync(image, disk);
            if (!dying.IsDead)
                return;
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1025)]
    public async Task A_token_of_no_or_too_many_characters_is_refused(int length)
    {
        await using var vault = await TestVault.CreateAsync(backend, Options);
        var failure = await Assert.ThrowsAsync<StoreException>(() => vault.BackUpAsync(new SparseDisk(4096) { ResumeToken = new('x', length) }));
        Assert.Equal(StoreErrorKind.InvalidRequest, failure.Kind);
    }

    /// <summary>512 KiB of noise in each leaf, so that each fills packs.</summary>
    private static SparseDisk Disk(int seed = 1, int leaves = LeafCount)
    {
        var disk = new SparseDisk((leaves * LeafBytes) - 1000) { ResumeToken = "snapshot 1" };
        for (var leaf = 0; leaf < leaves; leaf++)
            disk.Write((leaf * LeafBytes) + 65_536, TestVault.Noise(seed + leaf, 512 << 10));
        disk.MarkClean();
        return disk;
    }

    /// <summary>Backs up until the process is gone at the last leaf, without a word: the session is not disposed.</summary>
    private async Task DieAsync(SparseDisk disk, ImageRef? parent = null, int noted = LeafCount - 1)
    {
        await using var vault = await TestVault.OpenOrCreateAsync(backend, Options);
        var session = await vault.OpenSessionAsync(CancellationToken.None);
        disk.FailsFrom = (LeafCount - 1) * LeafBytes;
        disk.BeforeFailing = () => UntilNotedAsync(vault, noted);
        await Assert.ThrowsAsync<IOException>(() => session.WriteImageAsync(disk, parent, null, CancellationToken.None));
        disk.FailsFrom = long.MaxValue;
        disk.PagesRead.Clear();
    }

    /// <summary>Packs are sealed and leaves are noted in the background.</summary>
    private async Task UntilNotedAsync(VaultStore vault, int leaves)
    {
        for (var noted = 0; noted < leaves;)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
            noted = 0;
            foreach (var blob in await backend.AllAsync("sess/"))
            {
                Assert.True(JournalFormat.TryParseName(blob.Name, out var source, out _));
                noted += JournalFormat.Open(vault.Packs.Ring, source, await backend.ContentAsync(blob.Name)).Count;
            }
        }
    }
}
