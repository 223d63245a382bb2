using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Tampering;

/// <summary>A vault in a folder that has a blob of every kind, a copy of it from before its last backup, and one of now.</summary>
public sealed class TamperLab : IDisposable
{
    internal static readonly VaultStoreOptions Options = TestVault.Small with { JournalLeaves = 1, Workers = 1 };
    private const long LeafBytes = 64L << 20;
    private readonly TemporaryFolder folder = new();

    /// <summary>None of them shares a pack with another.</summary>
    internal List<(Snapshot Snapshot, SparseDisk Disk)> Disks { get; } = [];

    internal (Snapshot Snapshot, byte[] Content) Stream { get; private set; }

    internal string Older => folder["older"];

    internal string Vault => folder["vault"];

    public TamperLab() => MakeAsync().GetAwaiter().GetResult();

    /// <summary>A vault of one's own to do harm to.</summary>
    internal string Clone(string target)
    {
        CopyFolder(Vault, target);
        return target;
    }

    /// <summary>The names of all blobs of a kind.</summary>
    internal List<string> Names(string kind) =>
    [
        .. Directory.EnumerateFiles(Vault, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Vault, path))
            .Where(name => name.StartsWith(kind, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    public void Dispose() => folder.Dispose();

    internal static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var inner in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, inner)));
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
    }

    private async Task MakeAsync()
    {
        using var backend = new LocalBackend(Vault);
        await using (var vault = await TestVault.CreateAsync(backend, Options))
        {

            // Half of what the first backup stored is overwritten by the second, and moves when the first is gone.
            var disk = new SparseDisk(4 << 20);
            for (var i = 0; i < 8; i++)
                disk.Write(i << 18, TestVault.Noise(i, 1 << 18));
            var gone = await vault.BackUpAsync(disk);
            for (var i = 0; i < 4; i++)
                disk.Write(i << 18, TestVault.Noise(100 + i, 1 << 18));
            Disks.Add((await vault.BackUpAsync(disk, gone.Images[0].Image), disk));
            await vault.DeleteSnapshotAsync(gone.Id, CancellationToken.None);
            var moved = await vault.CollectAsync(null, TestVault.Compact, CancellationToken.None);
            Assert.True(moved.PacksCompacted > 0, moved.ToString());
            CopyFolder(Vault, Older);
            await vault.Keys.RotateAsync(CancellationToken.None);
            await AddDiskAsync(vault, 40);
            var content = TestVault.Noise(7, 600_000);
            var (stream, _) = await vault.StoreAsync(content);
            Stream = (vault.Snapshots.Single(snapshot => snapshot.Streams.Any(one => one.Stream == stream)), content);
            await vault.ScrubAsync(new(), null, CancellationToken.None);
            await LeaveJournalAsync(vault, backend);
        }
    }

    private async Task AddDiskAsync(VaultStore vault, int seed)
    {
        var disk = new SparseDisk(1 << 20);
        for (var i = 0; i < 4; i++)
            disk.Write(i << 18, TestVault.Noise(seed + i, 1 << 18));
        Disks.Add((await vault.BackUpAsync(disk), disk));
    }

    private static async Task LeaveJournalAsync(VaultStore vault, LocalBackend backend)
    {
        async Task UntilNotedAsync()
        {
            while ((await backend.AllAsync("sess/")).Count == 0)
                await Task.Delay(1);
        }

        var disk = new SparseDisk(3 * LeafBytes) { ResumeToken = "token", FailsFrom = 2 * LeafBytes, BeforeFailing = UntilNotedAsync };
        for (var leaf = 0; leaf < 3; leaf++)
            disk.Write(leaf * LeafBytes, TestVault.Noise(70 + leaf, 1_200_000));
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        await Assert.ThrowsAsync<IOException>(() => session.WriteImageAsync(disk, null, null, CancellationToken.None));
    }
}
