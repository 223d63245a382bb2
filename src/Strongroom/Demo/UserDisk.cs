using System.Buffers.Binary;

namespace Strongroom.Demo;

/// <summary>The user's own disk, brought into the demo as a raw sparse copy; the original is only read.</summary>
/// <remarks>
/// A copy from the start and not a link: the demo changes the disk between the two backups, and a link would let whoever
/// uses the original change it under the first one.
/// </remarks>
internal static class UserDisk
{
    private const int SectorBytes = 512;

    private enum Format
    {
        Raw,
        FixedVhd,
        DynamicVhd,
        Qcow2,
    }

    /// <summary>Makes <paramref name="to"/>, a raw disk with the content of <paramref name="from"/>.</summary>
    /// <exception cref="DemoException">The disk is empty or damaged, or qemu-img is needed and missing.</exception>
    public static async Task ImportAsync(string from, string to, Action<double> progress, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            var (format, length) = Recognise(from);
            if (length == 0)
                throw new DemoException($"The disk '{from}' is empty.");
            if (format is Format.Raw or Format.FixedVhd)
                await SparseCopy.CopyAsync(from, to, length, done => progress((double)done / length), cancellationToken);
            else
                await ConvertAsync(from, to, format, time, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DemoException($"The disk '{from}' cannot be copied: {e.Message}", e);
        }
    }

    private static Task ConvertAsync(string from, string to, Format format, TimeProvider time, CancellationToken cancellationToken)
    {
        var (name, word) = format == Format.Qcow2 ? ("qcow2", "qcow2") : ("dynamic VHD", "vpc");
        var tool = ExternalTool.Find("qemu-img")
            ?? throw new DemoException($"'{from}' is a {name} disk; to read it the demo needs qemu-img (Debian package qemu-utils).");
        var limit = DemoTimeLimits.ForBytes(new FileInfo(from).Length);
        // The full path keeps a name such as "nbd:..." from being read as an address.
        return ExternalTool.RunAsync(
            tool, ["convert", "-f", word, "-O", "raw", Path.GetFullPath(from), Path.GetFullPath(to)], limit, time, cancellationToken);
    }

    /// <summary>Looks at the magic numbers: qcow2 at the start, VHD ("conectix") in the last sector.</summary>
    private static (Format Format, long LengthBytes) Recognise(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var length = RandomAccess.GetLength(file);
        Span<byte> sector = stackalloc byte[SectorBytes];
        if (RandomAccess.Read(file, sector, 0) >= 4 && sector.StartsWith((ReadOnlySpan<byte>)[(byte)'Q', (byte)'F', (byte)'I', 0xFB]))
            return (Format.Qcow2, length);
        if (length <= SectorBytes || RandomAccess.Read(file, sector, length - SectorBytes) != SectorBytes || !sector.StartsWith("conectix"u8))
            return (Format.Raw, length);

        // Virtual Hard Disk Image Format Specification: "Current Size" at 48, "Disk Type" at 60 (2 is fixed), both big-endian.
        var size = BinaryPrimitives.ReadInt64BigEndian(sector[48..]);
        var type = BinaryPrimitives.ReadInt32BigEndian(sector[60..]);
        if (type != 2)
            return (Format.DynamicVhd, length);
        if (size <= 0 || size > length - SectorBytes)
            throw new DemoException($"The VHD '{path}' says that it holds {size} bytes, but the file is shorter.");
        return (Format.FixedVhd, size);
    }
}
