using System.Globalization;

namespace Strongroom.Demo;

/// <summary>Writes made-up content as a tree of files for a file system, or straight onto a disk where no file system can be made.</summary>
internal sealed class SampleFiles(SampleContent content)
{
    private const int UnitBytes = 1024 * 1024;
    private const int SmallFilesMax = 200;

    private enum Kind
    {
        Text,
        Binary,
        Pages,

        /// <summary>The same MiB again and again, as in copies of one file: what deduplication is for.</summary>
        Repeated,
    }

    // Where each kind lives in the tree and how many of ten MiB are of it.
    private static readonly (Kind Kind, string Folder, string Extension, int Tenths)[] Shares =
    [
        (Kind.Text, "var/log/app", ".log", 4),
        (Kind.Binary, "usr/lib/app", ".bin", 3),
        (Kind.Pages, "var/lib/db", ".pages", 2),
        (Kind.Repeated, "srv/images", ".img", 1),
    ];

    private readonly byte[] unit = new byte[UnitBytes];
    private byte[]? repeated;

    /// <summary>Fills an empty folder with about <paramref name="dataBytes"/> of files, large and small.</summary>
    public async Task WriteFolderAsync(string folder, long dataBytes, Action<double> progress, CancellationToken cancellationToken)
    {
        WriteSmallFiles(folder, (int)Math.Min(SmallFilesMax, dataBytes / UnitBytes * 4));
        var units = Math.Max(1, dataBytes / UnitBytes);
        var done = 0L;
        foreach (var (kind, path, extension, tenths) in Shares)
        {
            var target = Directory.CreateDirectory(Path.Combine(folder, path)).FullName;
            var count = Math.Max(1, units * tenths / 10);
            for (var number = 0; count > 0; number++)
            {
                // Files of one to sixteen MiB.
                var length = Math.Min(count, 1 + (long)(content.Next() % 16));
                count -= length;
                var name = number.ToString("D4", CultureInfo.InvariantCulture) + extension;
                await using var file = new FileStream(Path.Combine(target, name), FileMode.CreateNew, FileAccess.Write, FileShare.None, 0, useAsync: true);
                for (; length > 0; length--)
                {
                    await file.WriteAsync(NextUnit(kind), cancellationToken);
                    progress(Math.Min(1, (double)++done / units));
                }
            }
        }

        progress(1);
    }

    /// <summary>Makes a disk of holes with runs of content between them.</summary>
    /// <param name="path">Must not exist.</param>
    /// <param name="lengthBytes">The virtual size.</param>
    /// <param name="dataFraction">The part that gets content.</param>
    /// <param name="progress">Told the part that is done, from 0 to 1.</param>
    /// <param name="cancellationToken">Stops the work; what was written stays.</param>
    public async Task WriteDiskAsync(string path, long lengthBytes, double dataFraction, Action<double> progress, CancellationToken cancellationToken)
    {
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.Asynchronous);
        RandomAccess.SetLength(file, lengthBytes);
        Kind[] kinds = [.. Shares.SelectMany(share => Enumerable.Repeat(share.Kind, share.Tenths))];
        for (var offset = 0L; offset < lengthBytes; offset += UnitBytes)
        {
            // The first MiB always has content, as a boot sector would be there.
            if (offset == 0 || content.Next() % 1000 < dataFraction * 1000)
            {
                var bytes = NextUnit(kinds[content.Next() % (ulong)kinds.Length]);
                await RandomAccess.WriteAsync(file, bytes[..(int)Math.Min(UnitBytes, lengthBytes - offset)], offset, cancellationToken);
            }

            progress((double)Math.Min(lengthBytes, offset + UnitBytes) / lengthBytes);
        }
    }

    private void WriteSmallFiles(string folder, int count)
    {
        for (var number = 0; number < count; number++)
        {
            var home = Directory.CreateDirectory(Path.Combine(folder, "home", $"user{number % 7}")).FullName;
            var bytes = unit.AsSpan(0, 200 + (int)(content.Next() % 12_000));
            content.FillText(bytes);
            File.WriteAllBytes(Path.Combine(home, $"note{number:D4}.txt"), bytes);
        }
    }

    private ReadOnlyMemory<byte> NextUnit(Kind kind)
    {
        switch (kind)
        {
            case Kind.Text:
                content.FillText(unit);
                break;
            case Kind.Pages:
                content.FillPages(unit);
                break;
            case Kind.Repeated:
                if (repeated is null)
                    content.FillRandom(repeated = new byte[UnitBytes]);
                return repeated;
            default:
                content.FillRandom(unit);
                break;
        }

        return unit;
    }
}
