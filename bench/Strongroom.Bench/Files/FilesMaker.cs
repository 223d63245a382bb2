using System.Globalization;
using Strongroom.Bench.Disks;

namespace Strongroom.Bench.Files;

/// <summary>Makes a folder like a file server's: many small files and some large ones, the same each time; and changes some of them.</summary>
internal sealed class FilesMaker(string folder, FilesOptions options)
{
    private const int FilesInAFolder = 100;
    private const double AverageBytes = 4096;
    private const int GreatestSmallBytes = 64 << 10;
    private const int PieceBytes = 1 << 20;
    private static readonly int[] LargeMebibytes = [4, 16, 64, 256];

    /// <summary>The file in the middle of the small ones, as a path from the folder.</summary>
    public string MiddleFile => SmallName(options.SmallFiles / 2);

    /// <summary>All their lengths together.</summary>
    public long Make()
    {
        var random = new SequenceRandom(1);
        using var text = new FileContent(options.Source);
        var total = 0L;
        for (var i = 0; i < options.SmallFiles; i++)
        {
            var content = new byte[(int)Math.Min(-Math.Log(1 - random.NextFraction()) * AverageBytes, GreatestSmallBytes)];
            text.Fill(content);
            total += content.Length;
            Write(SmallName(i), content);
        }

        for (var (left, i) = (options.LargeBytes, 0); left > 0; i++)
        {
            var length = Math.Min(left, (long)LargeMebibytes[random.NextBelow(LargeMebibytes.Length)] << 20);
            WriteLarge(Path.Combine(folder, "large", i.ToString(CultureInfo.InvariantCulture)), length, text, random);
            left -= length;
            total += length;
        }

        return total;
    }

    /// <summary>Writes small files anew, and a piece in the middle of large ones: so many of each as are to change.</summary>
    public void Change(int round)
    {
        var random = new SequenceRandom((ulong)round + 100);
        for (var i = 0; i < options.SmallFiles * options.ChangedPercent / 100; i++)
        {
            var content = new byte[1 + random.NextBelow((int)AverageBytes * 2)];
            random.Fill(content);
            Write(SmallName((int)random.NextBelow(options.SmallFiles)), content);
        }

        var piece = new byte[64 << 10];
        for (var left = options.LargeBytes * options.ChangedPercent / 100; left > 0; left -= piece.Length)
        {
            random.Fill(piece);
            var files = Directory.GetFiles(Path.Combine(folder, "large"));
            Array.Sort(files, StringComparer.Ordinal);
            using var file = File.OpenHandle(files[random.NextBelow(files.Length)], access: FileAccess.Write);
            RandomAccess.Write(file, piece, random.NextBelow(RandomAccess.GetLength(file)));
        }
    }

    private static string SmallName(int i)
    {
        var number = i / FilesInAFolder;
        return string.Create(CultureInfo.InvariantCulture, $"small/{number / 100:d3}/{number % 100:d2}/file{i}.txt");
    }

    private static void WriteLarge(string path, long length, FileContent text, SequenceRandom random)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        var piece = new byte[PieceBytes];
        for (var offset = 0L; offset < length; offset += PieceBytes)
        {
            var part = piece.AsSpan(0, (int)Math.Min(PieceBytes, length - offset));
            if (random.NextBelow(2) == 0)
                text.Fill(part);
            else
                random.Fill(part);
            RandomAccess.Write(file, part, offset);
        }
    }

    private void Write(string name, byte[] content)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
    }
}
