using System.Diagnostics;
using Strongroom.Store.Tests.Fakes;
using Strongroom.Store.Tests.Trees.Truth;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Tests.Trees;

/// <summary>What Linux keeps of files that random trees seldom have, or that only some may restore.</summary>
public sealed class TreeMetadataTests : IDisposable
{
    private const int Nobody = 65534;
    private static readonly byte[] DefaultList = [2, 0, 0, 0, .. Line(1, 7, uint.MaxValue), .. Line(2, 7, 1234), .. Line(4, 5, uint.MaxValue), .. Line(0x10, 7, uint.MaxValue), .. Line(0x20, 5, uint.MaxValue)];
    private static readonly string[] AsNobody = [$"--reuid={Nobody}", "--clear-groups"];
    private readonly TemporaryFolder folder = new();

    public TreeMetadataTests() => Directory.CreateDirectory(folder["source"]);

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task What_the_folder_gives_to_new_files_is_not_taken_for_their_own()
    {
        Directory.CreateDirectory(folder["source/below"]);
        await File.WriteAllTextAsync(folder["source/below/file"], "x", CancellationToken.None);
        using (var source = FolderHandle.Open(folder["source/below"]))
            source.MakeNode("pipe"u8, TreeEntryKind.Fifo, 0, 0);
        var truth = TreeTruth.Of(folder["source"]);
        Directory.CreateDirectory(folder["target"]);
        var isSet = RawCalls.SetAttribute(new RawPath(folder["target"]).Terminated, "system.posix_acl_default\0"u8.ToArray(), DefaultList, DefaultList.Length, 0) == 0;
        Assert.SkipUnless(isSet, "The file system has no ACLs.");
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        Assert.Empty((await vault.RestoreTreeAsync(tree, folder["target"], existing: ExistingFiles.Overwrite)).Problems);
        truth.RequireSame(TreeTruth.Of(folder["target"]));
    }

    [Fact]
    public async Task Terabytes_of_holes_take_no_time()
    {
        const long Length = 3L << 40;
        using (var file = File.OpenHandle(folder["source/disk"], FileMode.CreateNew, FileAccess.Write))
        {
            RandomAccess.Write(file, "first"u8, 0);
            RandomAccess.Write(file, TestVault.Noise(1, 100_000), Length / 2);
            RandomAccess.Write(file, "last"u8, Length - 4);
        }

        var started = TimeProvider.System.GetTimestamp();
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var (result, statistics) = await vault.StoreTreeAsync(folder["source"]);
        Assert.InRange(statistics.BytesRead, 100_009, 1 << 20);
        var restored = await vault.RestoreTreeAsync(result.Tree, folder["target"]);
        Assert.Equal(Length, restored.Bytes);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0, 20);
        using var target = File.OpenHandle(folder["target/disk"]);
        Assert.Equal(Length, RandomAccess.GetLength(target));
        foreach (var (offset, expected) in new[] { (0L, "first"u8.ToArray()), (Length / 2, TestVault.Noise(1, 100_000)), (Length - 4, "last"u8.ToArray()) })
        {
            var found = new byte[expected.Length];
            RandomAccess.Read(target, found, offset);
            Assert.Equal(expected, found);
        }

        Assert.InRange(new RawPath(folder["target/disk"]).Stat().Blocks * 512, 100_000, 1 << 20);
    }

    [Fact]
    public async Task Times_keep_their_nanoseconds_and_when_a_file_was_read_is_not_kept()
    {
        await File.WriteAllTextAsync(folder["source/file"], "x", CancellationToken.None);
        var path = new RawPath(folder["source/file"]);
        RawCalls.Require(RawCalls.ChangeTimes(RawCalls.AtCurrentFolder, path.Terminated, [5_000_000_000, 1, -3, 999_999_999], RawCalls.NoFollow), "utimens");
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        await vault.RestoreTreeAsync(tree, folder["target"]);
        Assert.Equal(((Int128)(-3) * 1_000_000_000) + 999_999_999, new RawPath(folder["target/file"]).Stat().Modified);
        Assert.Equal(new DateTime(1969, 12, 31, 23, 59, 57, DateTimeKind.Utc).AddTicks(9_999_999), File.GetLastAccessTimeUtc(folder["target/file"]));
    }

    [Fact]
    public async Task Owners_are_kept_by_number_and_by_name()
    {
        await File.WriteAllTextAsync(folder["source/file"], "x", CancellationToken.None);
        if (GrownTree.IsRoot)
            RawCalls.Require(RawCalls.ChangeOwner(new RawPath(folder["source/file"]).Terminated, 0, 12_345_678), "chown");
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var tree = (await vault.StoreTreeAsync(folder["source"])).Result.Tree;
        var entry = Assert.Single(await vault.ListAsync(tree));
        Assert.Equal(GrownTree.IsRoot ? "root" : Environment.UserName, entry.UserName);
        if (GrownTree.IsRoot)
            Assert.Equal((0u, 12_345_678u, ""), (entry.UserId, entry.GroupId, entry.GroupName));
    }

    [Fact]
    public async Task Who_is_not_root_gets_what_he_may_and_is_told_what_he_does_not()
    {
        Assert.SkipUnless(GrownTree.IsRoot, "Only root can run a process as somebody else.");
        Assert.SkipUnless(MayNobodyRunThis(), "The test program lies where others may not read it.");
        await File.WriteAllTextAsync(folder["source/plain"], "x", CancellationToken.None);
        await File.WriteAllTextAsync(folder["source/tool"], "x", CancellationToken.None);
        File.SetUnixFileMode(folder["source/tool"], (UnixFileMode)0xDED); // 6755
        using (var source = FolderHandle.Open(folder["source"]))
        {
            source.MakeNode("device"u8, TreeEntryKind.CharacterDevice, 1, 3);
            Assert.True(AttributeCalls.TrySet(source, "plain"u8, new("trusted.note"u8.ToArray(), "x"u8.ToArray())));
        }

        using (var backend = new LocalBackend(folder["vault"]))
        {
            await using var vault = await TestVault.CreateAsync(backend);
            await vault.StoreTreeAsync(folder["source"]);
        }

        // The vault and the target are his; the program and what leads to it he may read.
        Directory.CreateDirectory(folder["target"]);
        Run("chown", "-R", $"{Nobody}", folder.Path);
        var output = Run("setpriv", [.. AsNobody, Environment.ProcessPath!, "--tree-restore", folder["vault"], folder["target"]]);
        Assert.Contains("2 files, 1 failed", output, StringComparison.Ordinal);
        Assert.Contains("device: It cannot be restored: only root may make devices.", output, StringComparison.Ordinal);
        Assert.Contains("plain: The attribute trusted.note cannot be set here.", output, StringComparison.Ordinal);
        Assert.Contains("3 files and folders belong to you now: only root may give them back to their owners.", output, StringComparison.Ordinal);
        Assert.Equal("x", await File.ReadAllTextAsync(folder["target/tool"], CancellationToken.None));
        Assert.Equal((UnixFileMode)0x1ED, File.GetUnixFileMode(folder["target/tool"]));
        Assert.Equal((uint)Nobody, new RawPath(folder["target/plain"]).Stat().User);
    }

    private static bool MayNobodyRunThis()
    {
        using var process = Process.Start("setpriv", [.. AsNobody, "test", "-x", Environment.ProcessPath!]);
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} failed: {errors.GetAwaiter().GetResult()}");
        return output;
    }

    private static byte[] Line(ushort tag, ushort rights, uint id) => [.. BitConverter.GetBytes(tag), .. BitConverter.GetBytes(rights), .. BitConverter.GetBytes(id)];
}
