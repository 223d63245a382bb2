using System.Buffers.Binary;
using System.Text;

namespace Strongroom.Blocks.Qcow2;

/// <summary>Where a qcow2 keeps its bitmaps (docs/interop/qcow2.txt, "Bitmaps extension").</summary>
/// <param name="Count">Bitmaps in the directory.</param>
public readonly record struct Qcow2BitmapDirectory(int Count, long OffsetBytes, long LengthBytes);

/// <summary>Says whether a stored bitmap tells what has changed on a disk.</summary>
/// <remarks>
/// QEMU looks for a bitmap's name in the whole backing chain. One that lies below the active image does not know what was written since that image was
/// laid over it, and one that lies in both knows a part each. So it must be in the active image, and nowhere else.
/// </remarks>
internal static class Qcow2Bitmaps
{
    private const int EntryLengthBytes = 24;
    private const int LongestDirectoryBytes = 16 << 20;
    private const uint InUseFlag = 1;

    /// <exception cref="DirtyBitmapUnusableException">The bitmap is not there, was not closed properly, or is not in the active image alone.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static void RequireUsable(Qcow2Chain chain, string name)
    {
        var image = chain.Layers[0].File;
        if (Find(image, name) is not { } flags)
            throw new DirtyBitmapUnusableException($"'{image.Path}' has no bitmap '{name}'.");
        if ((flags & InUseFlag) != 0)
            throw new DirtyBitmapUnusableException($"The bitmap '{name}' of '{image.Path}' is inconsistent: whoever had the image open last did not close it.");
        if (chain.Layers.Skip(1).FirstOrDefault(layer => layer.IsQcow2 && Find(layer.File, name) is not null) is { } below)
            throw new DirtyBitmapUnusableException($"The bitmap '{name}' of '{image.Path}' is in the backing file '{below.File.Path}' too.");
    }

    /// <summary>The flags of a bitmap; null where the image has none of the name.</summary>
    private static uint? Find(DiskFile image, string name)
    {
        try
        {
            if (Qcow2Header.Read(image.Handle).Bitmaps is not { } place)
                return null;
            if (place.LengthBytes > LongestDirectoryBytes)
                throw new InvalidDataException("it is too long");
            var directory = new byte[place.LengthBytes];
            for (var read = 0; read < directory.Length;)
            {
                var count = RandomAccess.Read(image.Handle, directory.AsSpan(read), place.OffsetBytes + read);
                if (count == 0)
                    throw new InvalidDataException("it is cut off");
                read += count;
            }

            return Find(directory, place.Count, Encoding.UTF8.GetBytes(name));
        }
        catch (InvalidDataException exception)
        {
            throw new DirtyBitmapUnusableException($"The directory of bitmaps in '{image.Path}' is damaged: {exception.Message}.", exception);
        }
    }

    private static uint? Find(ReadOnlySpan<byte> directory, int count, ReadOnlySpan<byte> name)
    {
        uint? found = null;
        for (var index = 0; index < count; index++)
        {
            if (directory.Length < EntryLengthBytes)
                throw new InvalidDataException("it is cut off");
            var flags = BinaryPrimitives.ReadUInt32BigEndian(directory[12..]);
            var nameLength = BinaryPrimitives.ReadUInt16BigEndian(directory[18..]);
            var start = EntryLengthBytes + (long)BinaryPrimitives.ReadUInt32BigEndian(directory[20..]);
            var end = (start + nameLength + 7) / 8 * 8;
            if (end > directory.Length)
                throw new InvalidDataException("an entry does not fit");
            if (directory.Slice((int)start, nameLength).SequenceEqual(name))
                found = flags;
            directory = directory[(int)end..];
        }

        return found;
    }
}
