using System.Globalization;
using System.Text;

namespace Strongroom.Libvirt.Checks;

/// <summary>What the guest's writer left in a file: numbered records of 64 bytes (Guests/root/bin/writer).</summary>
/// <param name="Count">How many whole records of the right number and contents it begins with: 1, 2, 3 and so on.</param>
/// <param name="Damage">What follows them and is no such record; null where they are all there is.</param>
internal sealed record Records(long Count, string? Damage)
{
    public const int Size = 64;

    private const long Multiplier = 2654435761;

    /// <summary>The bytes of a record.</summary>
    public static string Text(long number) =>
        string.Create(CultureInfo.InvariantCulture, $"{number:d10} {unchecked((uint)(number * Multiplier)):x8} {new string('.', 43)}\n");

    public static Records Read(ReadOnlySpan<byte> file)
    {
        var count = 0L;
        for (; file.Length >= Size && Encoding.ASCII.GetString(file[..Size]) == Text(count + 1); file = file[Size..])
            count++;
        return new(count, file.IsEmpty ? null : $"{file.Length} bytes after record {count}: {Encoding.Latin1.GetString(file[..Math.Min(Size, file.Length)])}");
    }
}
