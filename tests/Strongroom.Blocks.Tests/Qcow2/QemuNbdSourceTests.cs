using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using CsCheck;
using Strongroom.Blocks.Nbd;
using Strongroom.Blocks.Qcow2;

namespace Strongroom.Blocks.Tests.Qcow2;

/// <summary>qcow2 through the real qemu-nbd.</summary>
public sealed partial class QemuNbdSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _content = new byte[8 << 20];

    public QemuNbdSourceTests()
    {
        Programs.RequireQemu();
        Sources.Noise(1 << 20, 1).CopyTo(_content, 0);
        Sources.Noise(100_000, 2).CopyTo(_content, (5 << 20) + 777);
        File.WriteAllBytes(_folder["disk.raw"], _content);
    }

    public void Dispose() => _folder.Dispose();

    private static DiskOpenOptions AllowAll => new()
    {
        OpenBackingFile = (path, _) => new ValueTask<DiskFile?>(DiskFile.OpenRegular(path)),
    };

    private Task<IBlockSource> OpenAsync(string name, DiskOpenOptions? options = null) =>
        DiskImage.OpenAsync(DiskFile.OpenRegular(_folder[name]), options ?? new DiskOpenOptions(), CancellationToken.None);

    private Task ConvertAsync(string name, params string[] options) =>
        Programs.RunAsync("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", .. options, _folder["disk.raw"], _folder[name]]);

    [Theory]
    [InlineData("compat=0.10")]
    [InlineData("compat=1.1,cluster_size=4096")]
    [InlineData("compression_type=zstd")]
    [InlineData("extended_l2=on,cluster_size=131072")]
    public async Task The_disk_reads_as_it_was(string options)
    {
        await ConvertAsync("disk.qcow2", "-c", "-o", options);
        await using var source = await OpenAsync("disk.qcow2");
        Assert.IsType<QemuNbdSource>(source);
        Assert.Equal(_content, await Sources.ReadAllAsync(source));
        var extents = await Sources.RequireSoundMapAsync(source, _content);
        Assert.True(extents.Where(extent => extent.Kind == BlockKind.Zero).Sum(extent => extent.LengthBytes) > 5 << 20);
        await Gen.Select(Gen.Int[0, 7 << 20], Gen.Int[0, 1 << 20]).Array[20].SampleAsync(
            async ranges => await Parallel.ForEachAsync(ranges, async (range, cancellationToken) =>
            {
                var buffer = new byte[range.Item2];
                await source.ReadAsync(range.Item1, buffer, cancellationToken);
                Assert.True(buffer.AsSpan().SequenceEqual(_content.AsSpan(range.Item1, range.Item2)));
            }),
            iter: 5,
            threads: 1);
    }

    [Fact]
    public async Task A_backing_chain_is_read_when_it_is_allowed()
    {
        await ConvertAsync("base.qcow2");
        await Programs.RunAsync("qemu-img", "create", "-f", "qcow2", "-b", "disk.raw", "-F", "raw", _folder["on raw.qcow2"]);
        await Programs.RunAsync("qemu-img", "create", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", _folder["middle.qcow2"]);
        await Programs.RunAsync("qemu-img", "create", "-f", "qcow2", "-b", _folder["middle.qcow2"], "-F", "qcow2", _folder["top.qcow2"], "9M");
        await using (var onRaw = await OpenAsync("on raw.qcow2", AllowAll))
            Assert.Equal(_content, await Sources.ReadAllAsync(onRaw));
        await using var top = await OpenAsync("top.qcow2", AllowAll);
        byte[] expected = [.. _content, .. new byte[1 << 20]];
        Assert.Equal(expected, await Sources.ReadAllAsync(top));
        await Sources.RequireSoundMapAsync(top, expected);
    }

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../../../etc/passwd")]
    [InlineData("json:{\"driver\":\"raw\",\"file\":{\"driver\":\"file\",\"filename\":\"/etc/passwd\"}}")]
    [InlineData("nbd://127.0.0.1:1/x")]
    [InlineData("file:/etc/passwd")]
    public async Task A_hostile_backing_file_is_refused(string name)
    {
        await MakeOverlayAsync("hostile.qcow2", name);
        var exception = await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync("hostile.qcow2"));
        Assert.Contains("backing file", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_is_asked_with_the_resolved_path_for_every_link_of_the_chain()
    {
        await ConvertAsync("base.qcow2");
        await MakeOverlayAsync("middle.qcow2", "../" + Path.GetFileName(_folder.Path) + "/base.qcow2");
        await MakeOverlayAsync("top.qcow2", "middle.qcow2");
        var asked = new List<string>();
        var options = new DiskOpenOptions
        {
            OpenBackingFile = (path, _) =>
            {
                asked.Add(path);
                return new ValueTask<DiskFile?>(path == _folder["middle.qcow2"] ? DiskFile.OpenRegular(path) : null);
            },
        };
        await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync("top.qcow2", options));
        Assert.Equal([_folder["middle.qcow2"], _folder["base.qcow2"]], asked);
    }

    [Fact]
    public async Task A_circle_of_backing_files_ends()
    {
        await MakeOverlayAsync("a.qcow2", "b.qcow2");
        await MakeOverlayAsync("b.qcow2", "a.qcow2");
        var exception = await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync("a.qcow2", AllowAll));
        Assert.Contains("circle", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Encrypted_external_and_corrupt_images_are_refused_with_the_reason()
    {
        await Programs.RunAsync("qemu-img", "create", "-f", "qcow2", "-o", $"data_file={_folder["data.raw"]}", _folder["external.qcow2"], "1M");
        Assert.Contains("external data", (await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync("external.qcow2"))).Message, StringComparison.Ordinal);
        await ConvertAsync("corrupt.qcow2");
        await PatchAsync("corrupt.qcow2", 79, [2]);
        Assert.Contains("corrupt", (await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync("corrupt.qcow2"))).Message, StringComparison.Ordinal);
        await ConvertAsync("encrypted.qcow2");
        await PatchAsync("encrypted.qcow2", 35, [1]);
        Assert.Contains("encrypted", (await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync("encrypted.qcow2"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_qemu_nbd_says_of_a_broken_image_reaches_the_caller()
    {
        await ConvertAsync("broken.qcow2");
        await PatchAsync("broken.qcow2", 40, FakeBytes(0x0123456789ABCDEF)); // the L1 table's place
        var exception = await Assert.ThrowsAsync<IOException>(() => OpenAsync("broken.qcow2"));
        Assert.Contains("L1", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_opened_file_is_read_even_if_another_takes_its_name()
    {
        await ConvertAsync("disk.qcow2");
        var file = DiskFile.OpenRegular(_folder["disk.qcow2"]);
        await Programs.RunAsync("qemu-img", "create", "-f", "qcow2", _folder["other.qcow2"], "1M");
        File.Move(_folder["other.qcow2"], _folder["disk.qcow2"], overwrite: true);
        await using var source = await DiskImage.OpenAsync(file, new DiskOpenOptions(), CancellationToken.None);
        Assert.Equal(_content, await Sources.ReadAllAsync(source));
    }

    [Fact]
    public async Task A_file_beyond_the_chain_that_the_program_holds_open_is_noticed()
    {
        await ConvertAsync("disk.qcow2");
        using var chain = await Qcow2Chain.OpenAsync(DiskFile.OpenRegular(_folder["disk.qcow2"]), new DiskOpenOptions(), CancellationToken.None);
        using var reader = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "exec 9</etc/passwd; echo ready; read line"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        Assert.Equal("ready", await reader.StandardOutput.ReadLineAsync());
        Assert.Throws<InvalidDataException>(() => OpenFiles.RequireOnly(reader.Id, chain));
        reader.StandardInput.Close();
        await reader.WaitForExitAsync();
    }

    /// <summary>OpenSSL opens the system's authorities so: a program that starts at that moment holds their file, and ours has closed it when somebody looks.</summary>
    [Fact]
    public async Task A_file_that_was_open_for_a_moment_when_the_program_started_is_no_reason_to_refuse()
    {
        await ConvertAsync("disk.qcow2");
        File.WriteAllText(_folder["passing"], "not of the chain");
        var descriptor = OpenInheritable(_folder["passing"], 0);
        Assert.True(descriptor >= 0);
        var opening = OpenAsync("disk.qcow2");
        while (!opening.IsCompleted && !ChildHolds(_folder["passing"]))
            await Task.Yield();
        Assert.Equal(0, CloseDescriptor(descriptor));
        await using var source = await opening;
        Assert.Equal(_content, await Sources.ReadAllAsync(source));
    }

    private static bool ChildHolds(string path)
    {
        foreach (var process in Process.GetProcessesByName("qemu-nbd"))
        {
            using (process)
            {
                try
                {
                    if (Directory.EnumerateFileSystemEntries($"/proc/{process.Id}/fd").Any(open => new FileInfo(open).LinkTarget == path))
                        return true;
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    // It has ended.
                }
            }
        }

        return false;
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenInheritable(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseDescriptor(int descriptor);

    [Fact]
    public async Task An_image_in_use_by_a_writer_is_refused()
    {
        await ConvertAsync("disk.qcow2");
        using var writer = Process.Start("qemu-nbd", ["--persistent", "--format=qcow2", "--socket=" + _folder["writer"], _folder["disk.qcow2"]]);
        try
        {
            while (!File.Exists(_folder["writer"]))
                await Task.Delay(10);
            var exception = await Assert.ThrowsAsync<DiskInUseException>(() => OpenAsync("disk.qcow2"));
            Assert.Contains("disk.qcow2", exception.Message, StringComparison.Ordinal);
        }
        finally
        {
            writer.Kill();
            await writer.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task Closing_ends_the_program_and_leaves_nothing_behind()
    {
        await ConvertAsync("disk.qcow2");
        var source = Assert.IsType<QemuNbdSource>(await OpenAsync("disk.qcow2"));
        Assert.True(Directory.Exists($"/proc/{source.ProcessId}"));
        var socket = (await File.ReadAllTextAsync($"/proc/{source.ProcessId}/cmdline")).Split('\0').Single(argument => argument.StartsWith("--socket=", StringComparison.Ordinal))["--socket=".Length..];
        Assert.False(Directory.Exists(Path.GetDirectoryName(socket)), "The socket's folder must be gone once the connection stands.");
        await source.DisposeAsync();
        await source.DisposeAsync();
        Assert.False(Directory.Exists($"/proc/{source.ProcessId}"));
        await Assert.ThrowsAsync<IOException>(async () => await source.ReadAsync(0, new byte[512], CancellationToken.None));
    }

    [Fact]
    public async Task When_the_program_dies_reads_fail_and_do_not_hang()
    {
        await ConvertAsync("disk.qcow2");
        await using var source = Assert.IsType<QemuNbdSource>(await OpenAsync("disk.qcow2"));
        using (var process = Process.GetProcessById(source.ProcessId))
            process.Kill();
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            for (var index = 0; index < 1000; index++)
                await source.ReadAsync(0, new byte[1 << 20], CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        });
    }

    [Fact]
    public async Task Cancelling_the_opening_leaves_nothing_behind()
    {
        await ConvertAsync("disk.qcow2");
        using var cancellation = new CancellationTokenSource();
        await cancellation.CancelAsync();
        var file = DiskFile.OpenRegular(_folder["disk.qcow2"]);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => DiskImage.OpenAsync(file, new DiskOpenOptions(), cancellation.Token));
        Assert.True(file.Handle.IsClosed);
    }

    [Fact]
    public async Task The_dirty_bitmap_of_a_real_server_says_what_is_unchanged()
    {
        await ConvertAsync("disk.qcow2");
        // Data at the very end: what is not written before it is unchanged, zeros or not.
        await Programs.RunAsync("qemu-io", "-f", "qcow2", "-c", "write -P 3 8191k 1k", _folder["disk.qcow2"]);
        await Programs.RunAsync("qemu-img", "bitmap", "--add", _folder["disk.qcow2"], "since");
        await Programs.RunAsync("qemu-io", "-f", "qcow2", "-c", "write -P 7 3M 128k", "-c", "write -z 5M 64k", _folder["disk.qcow2"]);
        using var server = Process.Start("qemu-nbd", ["--read-only", "--persistent", "--format=qcow2", "--bitmap=since", "--export-name=vda", "--socket=" + _folder["nbd"], _folder["disk.qcow2"]]);
        try
        {
            while (!File.Exists(_folder["nbd"]))
                await Task.Delay(10);
            var changed = NbdMetaContexts.DirtyBitmap("since");
            var options = new NbdClientOptions { ExportName = "vda", MetaContexts = [NbdMetaContexts.BaseAllocation, changed] };
            await using var source = new NbdBlockSource(
                await NbdClient.ConnectAsync(NbdAddress.Unix(_folder["nbd"]), options, CancellationToken.None), changed);
            Assert.Equal(
                [
                    new BlockExtent(0, 3 << 20, BlockKind.Unchanged),
                    new BlockExtent(3 << 20, 128 << 10, BlockKind.Data),
                    new BlockExtent((3 << 20) + (128 << 10), (2 << 20) - (128 << 10), BlockKind.Unchanged),
                    new BlockExtent(5 << 20, 64 << 10, BlockKind.Zero),
                    new BlockExtent((5 << 20) + (64 << 10), (3 << 20) - (64 << 10), BlockKind.Unchanged),
                ],
                await Sources.MapAsync(source));
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
        }
    }

    /// <summary>An overlay that names any backing file, without qemu-img's own checks of the name.</summary>
    private async Task MakeOverlayAsync(string name, string backingFile)
    {
        await Programs.RunAsync("qemu-img", "create", "-f", "qcow2", _folder[name], "8M");
        var text = Encoding.UTF8.GetBytes(backingFile);
        await PatchAsync(name, 8, [.. FakeBytes(4096), 0, 0, 0, (byte)text.Length]);
        await PatchAsync(name, 4096, text);
    }

    private async Task PatchAsync(string name, long offset, byte[] bytes)
    {
        await using var stream = new FileStream(_folder[name], FileMode.Open);
        stream.Position = offset;
        await stream.WriteAsync(bytes);
    }

    private static byte[] FakeBytes(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes;
    }
}
