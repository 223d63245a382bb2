using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Strongroom.Libvirt.Machines;

/// <summary>A picture of a machine's screen, as libvirt gives it: PNG with 8 bits for each of red, green and blue, not interlaced.</summary>
/// <param name="Png">The file's bytes, for the test's artefacts.</param>
/// <param name="Pixels">Rows from the top, three bytes a pixel.</param>
internal sealed record Screenshot(byte[] Png, int Width, int Height, byte[] Pixels)
{
    /// <summary>How many different colours it has; 1 for a blank screen.</summary>
    public int DistinctColours => Enumerable.Range(0, Width * Height).Select(pixel => (Pixels[3 * pixel], Pixels[3 * pixel + 1], Pixels[3 * pixel + 2])).Distinct().Count();

    /// <summary>Whether a cell of text mode (80 columns and 25 rows) has a pixel that is not black.</summary>
    public bool IsLit(int column, int row)
    {
        int width = Width / 80, height = Height / 25;
        for (var y = row * height; y < (row + 1) * height; y++)
            if (Pixels.AsSpan(3 * (y * Width + column * width), 3 * width).ContainsAnyExcept((byte)0))
                return true;
        return false;
    }

    /// <exception cref="InvalidDataException">It is no such picture.</exception>
    public static Screenshot Parse(byte[] png)
    {
        if (png is not [0x89, (byte)'P', (byte)'N', (byte)'G', ..])
            throw new InvalidDataException("The picture is no PNG.");
        int width = 0, height = 0;
        using var packed = new MemoryStream();
        for (var at = 8; at < png.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            var data = png.AsSpan(at + 8, length);
            switch (Encoding.ASCII.GetString(png, at + 4, 4))
            {
                case "IHDR":
                    (width, height) = (BinaryPrimitives.ReadInt32BigEndian(data), BinaryPrimitives.ReadInt32BigEndian(data[4..]));
                    if (!data[8..].SequenceEqual((ReadOnlySpan<byte>)[8, 2, 0, 0, 0]))
                        throw new InvalidDataException("The picture is no PNG of 8 bits in red, green and blue.");
                    break;
                case "IDAT":
                    packed.Write(data);
                    break;
            }
            at += 12 + length;
        }
        packed.Position = 0;
        return new(png, width, height, Unfilter(packed, width, height));
    }

    // Each row starts with the number of its filter, which foretells a byte from those to its left, above, and above to its left.
    private static byte[] Unfilter(Stream packed, int width, int height)
    {
        using var rows = new ZLibStream(packed, CompressionMode.Decompress);
        var stride = 3 * width;
        var pixels = new byte[stride * height];
        for (var y = 0; y < height; y++)
        {
            var filter = rows.ReadByte();
            var row = pixels.AsSpan(y * stride, stride);
            rows.ReadExactly(row);
            for (var x = 0; x < stride; x++)
            {
                byte left = x < 3 ? (byte)0 : row[x - 3], above = y == 0 ? (byte)0 : pixels[(y - 1) * stride + x];
                var corner = x < 3 || y == 0 ? (byte)0 : pixels[(y - 1) * stride + x - 3];
                row[x] += filter switch { 0 => 0, 1 => left, 2 => above, 3 => (byte)((left + above) / 2), 4 => Paeth(left, above, corner), _ => throw new InvalidDataException($"PNG has no filter {filter}.") };
            }
        }
        return pixels;
    }

    private static byte Paeth(byte left, byte above, byte corner)
    {
        var guess = left + above - corner;
        int toLeft = Math.Abs(guess - left), toAbove = Math.Abs(guess - above), toCorner = Math.Abs(guess - corner);
        return toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner;
    }
}
