using Strongroom.Blocks.Qcow2;

namespace Strongroom.Blocks.Tests;

public sealed class DiskWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // 512 MiB of disk have more than one L2 table; 2.5 GiB have more than one refcount block.
    [Theory]
    [InlineData(512)]
    [InlineData(65536)]
    [InlineData((1 << 20) + 4096)]
    [InlineData((1L << 29) + 512)]
    [InlineData(5L << 29)]
    public async Task Qemu_reads_from_a_qcow2_what_was_written(long lengthBytes)
    {
        Programs.RequireQemu();
        var random = new Random((int)(lengthBytes % 7919));
        await using (var qcow2 = DiskWriters.Create(_folder["a.qcow2"], DiskFormat.Qcow2, lengthBytes, Guid.NewGuid(), TimeProvider.System.GetUtcNow()))
        await using (var raw = DiskWriters.Create(_folder["a.raw"], DiskFormat.Raw, lengthBytes, Guid.NewGuid(), TimeProvider.System.GetUtcNow()))
        {
            for (var i = 0; i < 40; i++)
            {
                var part = new byte[Math.Min(lengthBytes, random.Next(1, 200_000))];
                random.NextBytes(part);
                // The first and the last byte among them.
                var offset = i switch { 0 => 0, 1 => lengthBytes - part.Length, _ => random.NextInt64(lengthBytes - part.Length + 1) };
                await qcow2.WriteAsync(offset, part, Token);
                await raw.WriteAsync(offset, part, Token);
            }

            await qcow2.FinishAsync(Token);
            await raw.FinishAsync(Token);
        }

        Assert.Contains("No errors were found", await Programs.RunAsync("qemu-img", "check", "-f", "qcow2", _folder["a.qcow2"]), StringComparison.Ordinal);
        var compared = await Programs.RunAsync("qemu-img", "compare", "-f", "qcow2", "-F", "raw", _folder["a.qcow2"], _folder["a.raw"]);
        // It warns where one of them is longer.
        Assert.Equal("Images are identical.", compared.Trim());
        Assert.Equal(lengthBytes, new FileInfo(_folder["a.raw"]).Length);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["a.qcow2"]));
        // A guest goes on writing to it.
        await Programs.RunAsync("qemu-io", "-f", "qcow2", "-c", "write -P 0x5a 0 512", "-c", "read -P 0x5a 0 512", _folder["a.qcow2"]);
        Assert.Contains("No errors were found", await Programs.RunAsync("qemu-img", "check", "-f", "qcow2", _folder["a.qcow2"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_qcow2_that_was_not_finished_is_none_and_nothing_is_overwritten()
    {
        Programs.RequireQemu();
        await using (var writer = DiskWriters.Create(_folder["a.qcow2"], DiskFormat.Qcow2, 1 << 20, Guid.NewGuid(), TimeProvider.System.GetUtcNow()))
            await writer.WriteAsync(0, new byte[] { 1, 2, 3 }, Token);
        Assert.NotEqual(0, (await Programs.TryRunAsync("qemu-img", "check", "-f", "qcow2", _folder["a.qcow2"])).ExitCode);
        foreach (var format in new[] { DiskFormat.Raw, DiskFormat.Qcow2, DiskFormat.FixedVhd })
            Assert.Throws<IOException>(() => DiskWriters.Create(_folder["a.qcow2"], format, 1 << 20, Guid.NewGuid(), TimeProvider.System.GetUtcNow()));
    }

    [Fact]
    public async Task An_overlay_shows_what_it_is_made_over_and_keeps_what_is_written_to_it()
    {
        Programs.RequireQemu();
        var below = new byte[(3 << 20) + 512];
        new Random(1).NextBytes(below);
        await File.WriteAllBytesAsync(_folder["below.raw"], below, Token);
        await DiskWriters.CreateOverlayAsync(_folder["top.qcow2"], below.Length, _folder["below.raw"], Token);
        using (var file = DiskFile.OpenRegular(_folder["top.qcow2"]))
            Assert.True(Qcow2Header.Read(file.Handle) is { BackingFormat: "raw", BackingFile: var name, LengthBytes: var length } && name == _folder["below.raw"] && length == below.Length);
        await Programs.RunAsync("qemu-img", "compare", "-f", "qcow2", "-F", "raw", _folder["top.qcow2"], _folder["below.raw"]);
        await Programs.RunAsync("qemu-io", "-f", "qcow2", "-c", "write -P 7 1M 4k", _folder["top.qcow2"]);
        await Programs.RunAsync("qemu-img", "check", "-f", "qcow2", _folder["top.qcow2"]);
        await Programs.RunAsync("qemu-img", "rebase", "-f", "qcow2", "-b", "", _folder["top.qcow2"]);
        below.AsSpan(1 << 20, 4096).Fill(7);
        await Programs.RunAsync("qemu-img", "convert", "-f", "qcow2", "-O", "raw", _folder["top.qcow2"], _folder["all.raw"]);
        Assert.Equal(below, await File.ReadAllBytesAsync(_folder["all.raw"], Token));
        await Assert.ThrowsAsync<IOException>(() => DiskWriters.CreateOverlayAsync(_folder["top.qcow2"], below.Length, "x", Token));
    }
}
