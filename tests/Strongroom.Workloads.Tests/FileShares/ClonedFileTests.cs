using System.Buffers.Binary;
using Strongroom.Store;

namespace Strongroom.Workloads.Tests.FileShares;

/// <summary>Files that never stand still, on file systems without snapshots.</summary>
public sealed class ClonedFileTests
{
    private const int LengthBytes = 64 << 20;
    private const int LastAt = LengthBytes - 4096;

    [Theory]
    [InlineData("xfs", true)]
    [InlineData("ext4", false)]
    public async Task A_file_that_is_written_all_the_time_is_of_one_moment_where_the_file_system_clones_files(string fileSystem, bool isCloned)
    {
        using var mount = Mount.OfImage(fileSystem, 512);
        await using var lab = await ShareLab.StartAsync(mount.Path);
        lab.Write("vms/still.txt", "still");
        var path = lab.Write("vms/disk.raw", "");
        await File.WriteAllBytesAsync(path, Noise(), CancellationToken.None);
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(() => Write(path, stop.Token), CancellationToken.None);
        TreeBackupResult result;
        try
        {
            result = (await lab.BackUpAsync("vms")).Result;
        }
        finally
        {
            await stop.CancelAsync();
            await writer;
        }

        // The first number is written before the last one, so it is the same or the next.
        var (first, last) = await NumbersAsync(lab, result.Tree);
        if (isCloned)
        {
            Assert.Empty(result.Problems);
            Assert.InRange(first - last, 0, 1);
            Assert.True(first > 0, "The writer stood still.");
        }
        else
        {
            Assert.Equal("disk.raw", Assert.Single(result.Problems).Path.ToString());
        }

        Assert.Equal(["disk.raw", "still.txt"], Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(path)!).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        // What was written since is read by the next backup.
        var (second, _, _) = await lab.BackUpAsync("vms", result.Tree);
        Assert.Empty(second.Problems);
        (first, last) = await NumbersAsync(lab, second.Tree);
        Assert.Equal(first, last);
    }

    private static byte[] Noise()
    {
        var bytes = new byte[LengthBytes];
        new Random(1).NextBytes(bytes);
        bytes.AsSpan(0, 8).Clear();
        bytes.AsSpan(LastAt, 8).Clear();
        return bytes;
    }

    private static void Write(string path, CancellationToken cancellationToken)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
        Span<byte> number = stackalloc byte[8];
        for (long i = 1; !cancellationToken.IsCancellationRequested; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, i);
            RandomAccess.Write(file, number, 0);
            RandomAccess.Write(file, number, LastAt);
        }
    }

    private static async Task<(long First, long Last)> NumbersAsync(ShareLab lab, TreeRef tree)
    {
        await using var file = await lab.Vault.OpenTreeFileAsync(tree, TreePath.Of("disk.raw"), CancellationToken.None);
        var numbers = new long[2];
        foreach (var (i, at) in new[] { (0, 0), (1, LastAt) })
        {
            var bytes = new byte[8];
            file.Position = at;
            await file.ReadExactlyAsync(bytes);
            numbers[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        }

        return (numbers[0], numbers[1]);
    }
}
