using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Strongroom.Blocks.Nbd;
using Strongroom.Blocks.Raw;

namespace Strongroom.Blocks.Qcow2;

/// <summary>A qcow2 at rest, read through a qemu-nbd of our own on a Unix socket that only this user can reach.</summary>
/// <remarks>
/// <para>Safe from many threads. The program is told every file of the chain by the descriptors opened here (/proc/PID/fd/N), and the backing chain
/// node by node, so it follows no name that stands in an image; and before anything is read the files it holds open are compared with ours. So neither a
/// path exchanged after the check nor a header rewritten after the check makes it read anything else.</para>
/// <para>An image in use by a running machine is refused. QEMU's image lock stays on, so that none starts while the disk is read, unless
/// <see cref="DiskOpenOptions.IsShared"/> says otherwise: then <see cref="RequireUnwritten"/> tells whether one did.</para>
/// </remarks>
public sealed class QemuNbdSource : IBlockSource
{
    // unix(7): 108 bytes with the closing NUL.
    private const int LongestSocketPathBytes = 107;

    private const int MostStarts = 4;

    private static readonly TimeSpan BetweenStarts = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private readonly Qcow2Chain _chain;
    private readonly QemuNbdProcess _process;
    private readonly NbdBlockSource _source;
    private readonly IReadOnlyList<FileIdentity> _identities;
    private int _isDisposed;

    private QemuNbdSource(Qcow2Chain chain, IReadOnlyList<FileIdentity> identities, QemuNbdProcess process, NbdBlockSource source)
    {
        _chain = chain;
        _identities = identities;
        _process = process;
        _source = source;
    }

    /// <inheritdoc/>
    public long LengthBytes => _source.LengthBytes;

    internal int ProcessId => _process.Id;

    /// <summary>Opens a qcow2 and starts its server. Owns <paramref name="file"/> when it succeeds.</summary>
    /// <exception cref="InvalidDataException">The image is damaged, or uses what is refused: encryption, an external data file, a backing file not allowed.</exception>
    /// <exception cref="DirtyBitmapUnusableException">The bitmap that is asked for is missing or inconsistent; the disk can be opened without it.</exception>
    /// <exception cref="IOException">A file cannot be read, or qemu-nbd is missing, fails, or does not come up in time.</exception>
    public static async Task<QemuNbdSource> StartAsync(DiskFile file, DiskOpenOptions options, CancellationToken cancellationToken)
    {
        var chain = await Qcow2Chain.OpenAsync(file, options, cancellationToken).ConfigureAwait(false);
        try
        {
            // In this order: a machine that starts between the two writes later, and is found at the end.
            if (MayShare(chain, options))
                RequireNoWriter(chain);
            var identities = Identify(chain);
            if (options.DirtyBitmap is { } bitmap)
                Qcow2Bitmaps.RequireUsable(chain, bitmap);
            for (var start = 1; ; start++)
            {
                try
                {
                    var (process, source) = await ServeAsync(chain, file, options, cancellationToken).ConfigureAwait(false);
                    return new QemuNbdSource(chain, identities, process, source);
                }
                catch (InvalidDataException) when (start < MostStarts)
                {
                    // The program holds a file that is not of the chain. It may have come from us, which had it open just when the program began (OpenSSL
                    // opens the system's authorities without close-on-exec). Another one will not have it; if it was the image, the next one has it too.
                    await Task.Delay(start * BetweenStarts, options.Time, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch
        {
            chain.DisposeBackingFiles();
            throw;
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<BlockExtent> MapAsync(CancellationToken cancellationToken) => _source.MapAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) => _source.ReadAsync(offsetBytes, buffer, cancellationToken);

    /// <summary>Whoever reads without keeping others from writing asks this when all is read: what was read is the disk at one moment only if nobody wrote meanwhile.</summary>
    /// <exception cref="DiskInUseException">A file of the chain was written to, or is held for writing.</exception>
    /// <exception cref="IOException">A file cannot be examined any more.</exception>
    public void RequireUnwritten()
    {
        RequireNoWriter(_chain);
        var written = Identify(_chain).Zip(_identities).ToList().FindIndex(pair => pair.First != pair.Second);
        if (written >= 0)
            throw new DiskInUseException($"'{_chain.Layers[written].File.Path}' was written to while it was read.");
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        await _source.DisposeAsync().ConfigureAwait(false);
        await _process.DisposeAsync().ConfigureAwait(false);
        _chain.Dispose();
    }

    /// <summary>Starts the program and connects to it.</summary>
    /// <exception cref="InvalidDataException">It holds a file open that is not of the chain.</exception>
    private static async Task<(QemuNbdProcess Process, NbdBlockSource Source)> ServeAsync(Qcow2Chain chain, DiskFile file, DiskOpenOptions options, CancellationToken cancellationToken)
    {
        QemuNbdProcess? process = null;
        DirectoryInfo? folder = null;
        try
        {
            // Mode 0700. It is needed only until the connection stands, so that a crash later on leaves nothing behind.
            folder = Directory.CreateTempSubdirectory("strongroom-qcow2-");
            var socket = Path.Combine(folder.FullName, "nbd");
            if (Encoding.UTF8.GetByteCount(socket) > LongestSocketPathBytes)
                throw new IOException($"The folder for temporary files, '{Path.GetTempPath()}', has too long a path for a socket in it. Set TMPDIR to a shorter one.");
            process = await QemuNbdProcess.StartAsync("qemu-nbd", Arguments(chain, options, socket)).ConfigureAwait(false);
            var client = await ConnectAsync(process, socket, file, options, cancellationToken).ConfigureAwait(false);
            try
            {
                OpenFiles.RequireOnly(process.Id, chain);
                return (process, new NbdBlockSource(client, ChangedContext(options)));
            }
            catch
            {
                await client.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
        catch
        {
            if (process is not null)
                await process.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            DeleteQuietly(folder);
        }
    }

    private static void DeleteQuietly(DirectoryInfo? folder)
    {
        try
        {
            folder?.Delete(recursive: true);
        }
        catch (IOException)
        {
            // A cleaner of temporary files was faster; an empty folder left behind would harm nobody either.
        }
    }

    private static void RequireNoWriter(Qcow2Chain chain)
    {
        if (chain.Layers.FirstOrDefault(layer => DiskLock.HasWriter(layer.File)) is { } layer)
            throw new DiskInUseException($"'{layer.File.Path}' is in use by another process.");
    }

    private static List<FileIdentity> Identify(Qcow2Chain chain) => [.. chain.Layers.Select(layer => layer.File.Identity)];

    private static string? ChangedContext(DiskOpenOptions options) => options.DirtyBitmap is { } bitmap ? NbdMetaContexts.DirtyBitmap(bitmap) : null;

    private static IEnumerable<string> Arguments(Qcow2Chain chain, DiskOpenOptions options, string socket) =>
    [
        // Not --persistent: it ends by itself when its one connection does, so it cannot outlive this process even where nothing else ends it.
        "--read-only",
        // The page cache is shared with whoever else reads the file; direct I/O is not to be had on every file system.
        "--cache=writeback",
        "--aio=threads",
        "--discard=ignore",
        $"--socket={socket}",
        .. options.DirtyBitmap is { } bitmap ? [$"--bitmap={bitmap}"] : (string[])[],
        "json:" + Describe(chain, MayShare(chain, options)),
    ];

    /// <summary>A block device does not tell whether it was written to, so there the lock stays on.</summary>
    private static bool MayShare(Qcow2Chain chain, DiskOpenOptions options) => options.IsShared && !chain.Layers.Any(layer => layer.File.IsDevice);

    /// <summary>The chain as QEMU's block device description, from the active image down.</summary>
    private static string Describe(Qcow2Chain chain, bool isShared)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            foreach (var layer in chain.Layers)
            {
                writer.WriteStartObject();
                writer.WriteString("driver", layer.IsQcow2 ? "qcow2" : "raw");
                writer.WriteBoolean("force-share", isShared);
                writer.WriteStartObject("file");
                writer.WriteString("driver", layer.File.IsDevice ? "host_device" : "file");
                writer.WriteString("filename", $"/proc/{Environment.ProcessId}/fd/{layer.File.Handle.DangerousGetHandle()}");
                writer.WriteEndObject();
                if (layer == chain.Layers[^1])
                {
                    if (layer.IsQcow2)
                        writer.WriteNull("backing");
                }
                else
                {
                    writer.WritePropertyName("backing");
                }
            }

            foreach (var _ in chain.Layers)
                writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>Connects as soon as the socket is there. It listens before the image is open, and is closed again when that fails: then the program's own words are the error.</summary>
    private static async Task<NbdClient> ConnectAsync(QemuNbdProcess process, string socket, DiskFile file, DiskOpenOptions options, CancellationToken cancellationToken)
    {
        var clientOptions = new NbdClientOptions { ConnectTimeout = options.StartTimeout, Time = options.Time };
        if (ChangedContext(options) is { } changed)
            clientOptions = clientOptions with { MetaContexts = [NbdMetaContexts.BaseAllocation, changed] };
        var began = options.Time.GetTimestamp();
        var delay = TimeSpan.FromMilliseconds(5);
        while (true)
        {
            try
            {
                return await NbdClient.ConnectAsync(NbdAddress.Unix(socket), clientOptions, cancellationToken).ConfigureAwait(false);
            }
            catch (IOException exception)
            {
                var isNotThereYet = exception.InnerException is SocketException && options.Time.GetElapsedTime(began) < options.StartTimeout;
                if (await process.ExitsWithinAsync(isNotThereYet ? delay : LastWords, options.Time, cancellationToken).ConfigureAwait(false))
                    throw Refused(file, await process.MessageAsync().ConfigureAwait(false), exception);
                if (!isNotThereYet)
                    throw;
                delay = TimeSpan.FromMilliseconds(Math.Min(delay.TotalMilliseconds * 1.5, 100));
            }
        }
    }

    /// <summary>What qemu-nbd said when it gave up. It locks images as QEMU does, so a running machine's disk is refused with these words.</summary>
    private static IOException Refused(DiskFile file, string message, Exception cause)
    {
        if (message.Contains("Is another process using the image", StringComparison.Ordinal))
            return new DiskInUseException($"'{file.Path}' is in use by another process.", cause);
        return message.Contains("qemu-nbd: Bitmap '", StringComparison.Ordinal)
            ? new DirtyBitmapUnusableException($"qemu-nbd cannot use the bitmap of '{file.Path}': {message}", cause)
            : new IOException($"qemu-nbd cannot open '{file.Path}': {message}", cause);
    }
}
