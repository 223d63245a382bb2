using Microsoft.Win32.SafeHandles;

namespace Strongroom.Store.Blobs;

/// <summary>Reads of files that ask again after a short answer.</summary>
internal static class FileReading
{
    /// <summary>Reads from <paramref name="offsetBytes"/> until the buffer is full or the file ends; the number of bytes read.</summary>
    /// <exception cref="IOException">As of <see cref="RandomAccess"/>.</exception>
    public static async ValueTask<int> ReadUntilFullAsync(SafeFileHandle handle, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var total = 0;
        while (total < buffer.Length)
        {
            var read = await RandomAccess.ReadAsync(handle, buffer[total..], offsetBytes + total, cancellationToken);
            if (read == 0)
                break;
            total += read;
        }

        return total;
    }

    /// <inheritdoc cref="ReadUntilFullAsync"/>
    public static int ReadUntilFull(SafeFileHandle handle, long offsetBytes, Span<byte> buffer)
    {
        var total = 0;
        while (total < buffer.Length)
        {
            var read = RandomAccess.Read(handle, buffer[total..], offsetBytes + total);
            if (read == 0)
                break;
            total += read;
        }

        return total;
    }
}
