using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;
using Strongroom.Blocks;
using Strongroom.Blocks.Raw;
using Strongroom.Store;

namespace Strongroom.Bench;

/// <summary>A raw disk image as source (holes known) and as sink (sparse).</summary>
internal sealed class RawImage : IImageSource, IImageSink, IDisposable
{
    private readonly SafeFileHandle handle;
    private readonly string path;

    public RawImage(string path)
    {
        this.path = path;
        handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read);
        LengthBytes = RandomAccess.GetLength(handle);
    }

    public RawImage(string path, long lengthBytes)
    {
        this.path = path;
        handle = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);
        RandomAccess.SetLength(handle, lengthBytes);
        LengthBytes = lengthBytes;
    }

    public long LengthBytes { get; }

    public static async Task<bool> AreSameAsync(string left, string right)
    {
        using var a = new RawImage(left);
        using var b = new RawImage(right);
        if (a.LengthBytes != b.LengthBytes)
            return false;
        var one = new byte[1 << 20];
        var two = new byte[1 << 20];
        for (var offset = 0L; offset < a.LengthBytes; offset += one.Length)
        {
            var count = (int)Math.Min(one.Length, a.LengthBytes - offset);
            await a.ReadAsync(offset, one.AsMemory(0, count), CancellationToken.None);
            await b.ReadAsync(offset, two.AsMemory(0, count), CancellationToken.None);
            if (!one.AsSpan(0, count).SequenceEqual(two.AsSpan(0, count)))
                return false;
        }

        return true;
    }

    public async IAsyncEnumerable<ImageExtent> MapAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var blocks = new RawBlockSource(DiskFile.OpenRegular(path));
        await foreach (var extent in blocks.MapAsync(cancellationToken))
            yield return new(extent.OffsetBytes, extent.LengthBytes, extent.Kind == BlockKind.Zero ? ExtentKind.Zero : ExtentKind.Data);
    }

    public async ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        for (var total = 0; total < buffer.Length;)
        {
            var read = await RandomAccess.ReadAsync(handle, buffer[total..], offsetBytes + total, cancellationToken);
            if (read == 0)
                throw new EndOfStreamException($"{path} ends early.");
            total += read;
        }
    }

    public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        RandomAccess.WriteAsync(handle, data, offsetBytes, cancellationToken);

    public void Dispose() => handle.Dispose();
}
