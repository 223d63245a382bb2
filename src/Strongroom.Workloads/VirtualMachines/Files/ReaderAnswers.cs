using System.Text;
using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Workloads.VirtualMachines.Files;

/// <summary>Entries and volumes out of the answers of the process that reads file systems.</summary>
/// <remarks>Everything throws <see cref="InvalidDataException"/> where an answer cannot be.</remarks>
internal static class ReaderAnswers
{
    private const int MaxVolumes = 4096;

    /// <summary>Volumes with their devices, in the appliance's order.</summary>
    public static List<(string Device, string FileSystem, string? Label, long SizeBytes)> Volumes(ReadOnlySpan<byte> answer)
    {
        var fields = new FrameFields(answer);
        var volumes = new List<(string, string, string?, long)>();
        for (var left = fields.Count(MaxVolumes); left > 0; left--)
        {
            var (device, fileSystem) = (Encoding.UTF8.GetString(fields.Bytes(1024)), Plain(Encoding.UTF8.GetString(fields.Bytes(256)), 40));
            var label = Plain(Encoding.UTF8.GetString(fields.Bytes(4096)), 256);
            volumes.Add((device, fileSystem, label.Length == 0 ? null : label, NotNegative(fields.Long())));
        }

        fields.End();
        return volumes;
    }

    public static FileEntry Entry(ReadOnlySpan<byte> answer, ReadOnlyMemory<byte> name)
    {
        var fields = new FrameFields(answer);
        var entry = Entry(ref fields);
        fields.End();
        return entry with { Name = name };
    }

    public static FilePage Page(ReadOnlySpan<byte> answer, int asked)
    {
        var fields = new FrameFields(answer);
        var next = fields.Long();
        var entries = new List<FileEntry>();
        for (var left = fields.Count(asked); left > 0; left--)
        {
            var entry = Entry(ref fields);
            if (!FilePath.IsName(entry.Name.Span)) throw new InvalidDataException("An entry has a name that cannot be.");
            entries.Add(entry);
        }

        fields.End();
        return new(entries, next < 0 ? null : next);
    }

    /// <summary>Text of unknown origin without what could confuse a log or a terminal.</summary>
    public static string Plain(string text, int maxLength)
    {
        var plain = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (plain.Length + rune.Utf16SequenceLength > maxLength) break;
            plain.Append(Rune.IsControl(rune) ? " " : rune.ToString());
        }

        return plain.ToString().Trim();
    }

    private static FileEntry Entry(ref FrameFields fields)
    {
        var name = fields.Bytes(FilePath.MaxNameLengthBytes);
        Span<long> numbers = stackalloc long[ReaderFrames.EntryNumbers];
        for (var i = 0; i < numbers.Length; i++) numbers[i] = fields.Long();
        return new()
        {
            Name = name,
            Kind = KindOf(numbers[0]),
            Mode = (int)(numbers[0] & 0xFFF),
            SizeBytes = NotNegative(numbers[1]),
            ModifiedSeconds = numbers[2],
            ModifiedNanoseconds = (int)Math.Clamp(numbers[3], 0, 999_999_999),
            UserId = NotNegative(numbers[4]),
            GroupId = NotNegative(numbers[5]),
            Device = numbers[6],
            Inode = numbers[7],
            LinkCount = numbers[8],
            LinkTarget = fields.Bytes(FilePath.MaxLengthBytes),
        };
    }

    private static long NotNegative(long value) => Math.Max(0, value);

    private static FileKind KindOf(long mode) => (mode & ModeBits.TypeMask) switch
    {
        ModeBits.Regular => FileKind.File,
        ModeBits.Folder => FileKind.Directory,
        ModeBits.Link => FileKind.SymbolicLink,
        ModeBits.Fifo => FileKind.Fifo,
        ModeBits.Socket => FileKind.Socket,
        ModeBits.CharacterDevice => FileKind.CharacterDevice,
        ModeBits.BlockDevice => FileKind.BlockDevice,
        _ => FileKind.Unknown,
    };
}
