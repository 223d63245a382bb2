using System.Buffers.Binary;

namespace Strongroom.Store.Tests.Trees.Truth;

/// <summary>What statx(2) says: the file's type and mode as one number, its times in nanoseconds.</summary>
internal sealed record RawStat(int Mode, uint Links, uint User, uint Group, ulong Inode, long Length, long Blocks, Int128 Modified, Int128 Changed, uint Major, uint Minor)
{
    public const int File = 0x8000;
    public const int Folder = 0x4000;
    public const int SymbolicLink = 0xA000;

    public int Type => Mode & 0xF000;

    public static RawStat Of(RawPath path)
    {
        var found = new byte[256];
        RawCalls.Require(RawCalls.Statx(RawCalls.AtCurrentFolder, path.Terminated, RawCalls.NoFollow, 0x7FF, found), $"stat {path}");
        return new(
            BinaryPrimitives.ReadUInt16LittleEndian(found.AsSpan(28)),
            UInt32(found, 16),
            UInt32(found, 20),
            UInt32(found, 24),
            (ulong)Int64(found, 32),
            Int64(found, 40),
            Int64(found, 48),
            Time(found, 112),
            Time(found, 96),
            UInt32(found, 128),
            UInt32(found, 132));
    }

    private static uint UInt32(byte[] source, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(source.AsSpan(offset));

    private static long Int64(byte[] source, int offset) => BinaryPrimitives.ReadInt64LittleEndian(source.AsSpan(offset));

    private static Int128 Time(byte[] source, int offset) => ((Int128)Int64(source, offset) * 1_000_000_000) + UInt32(source, offset + 8);
}
