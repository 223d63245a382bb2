using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Strongroom.Store.Hashing;

/// <summary>The keyed hash of BLAKE3 with 32 bytes of output, for inputs that are in memory as a whole.</summary>
/// <remarks>
/// After "BLAKE3: one function, fast everywhere" (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2021-11-09), the section numbers here are of it.
/// The leaves of the tree, and its nodes level by level, do not depend on each other: as many are hashed at once as a vector has lanes.
/// Text is little-endian, and so must the machine be.
/// </remarks>
internal static class Blake3
{
    public const int KeyLengthBytes = 32;
    public const int OutputLengthBytes = 32;

    internal const int BlockLengthBytes = 64;
    internal const int LeafLengthBytes = 1024;
    internal const uint LeafStart = 1;
    internal const uint LeafEnd = 2;
    internal const uint Parent = 4;
    internal const uint Root = 8;
    internal const uint Keyed = 16;

    private const int ValueWords = 8;
    private const int ValueLengthBytes = 32;
    private const int ValuesOnStack = 256;

    /// <summary>The words of the initial value, which are those of SHA-256 (table 1).</summary>
    internal static ReadOnlySpan<uint> InitialValue => [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19];

    /// <summary>Which word of the block each of the 16 places of a round takes: the permutation of table 2, applied again for each of the 7 rounds.</summary>
    internal static ReadOnlySpan<byte> Schedule =>
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8,
        3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1,
        10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6,
        12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4,
        9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7,
        11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13,
    ];

    /// <param name="key">32 bytes.</param>
    /// <param name="input">Of any length.</param>
    /// <param name="output">32 bytes.</param>
    public static void KeyedHash(ReadOnlySpan<byte> key, ReadOnlySpan<byte> input, Span<byte> output) => KeyedHash(key, input, output, 16);

    /// <param name="key">32 bytes.</param>
    /// <param name="input">Of any length.</param>
    /// <param name="output">32 bytes.</param>
    /// <param name="mostLanes">1, 4, 8 or 16: wider vectors than this are not used.</param>
    internal static void KeyedHash(ReadOnlySpan<byte> key, ReadOnlySpan<byte> input, Span<byte> output, int mostLanes)
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("The store runs on little-endian machines only.");
        var keyWords = MemoryMarshal.Cast<byte, uint>(key)[..ValueWords];
        Span<uint> root = stackalloc uint[ValueWords];
        if (input.Length <= LeafLengthBytes)
        {
            HashLeaf(keyWords, input, 0, Root, root);
        }
        else
        {
            var leaves = (input.Length + LeafLengthBytes - 1) / LeafLengthBytes;
            Span<uint> values = leaves <= ValuesOnStack ? stackalloc uint[ValuesOnStack * ValueWords] : new uint[leaves * ValueWords];
            HashLeaves(keyWords, input, values, mostLanes);
            Merge(keyWords, values, leaves, mostLanes);
            HashParent(keyWords, values, Root, root);
        }

        MemoryMarshal.AsBytes(root).CopyTo(output);
    }

    /// <summary>The chaining value of each leaf (2.4).</summary>
    private static void HashLeaves(ReadOnlySpan<uint> key, ReadOnlySpan<byte> input, Span<uint> values, int mostLanes)
    {
        var whole = input.Length / LeafLengthBytes;
        var leaf = 0;
        if (Avx512F.IsSupported && mostLanes >= 16)
            leaf = Blake3Lanes<Vector512<uint>, Lanes16>.HashLeaves(key, input, whole, leaf, values);
        if (Avx2.IsSupported && mostLanes >= 8)
            leaf = Blake3Lanes<Vector256<uint>, Lanes8>.HashLeaves(key, input, whole, leaf, values);
        if (Vector128.IsHardwareAccelerated && mostLanes >= 4)
            leaf = Blake3Lanes<Vector128<uint>, Lanes4>.HashLeaves(key, input, whole, leaf, values);
        for (; leaf * LeafLengthBytes < input.Length; leaf++)
            HashLeaf(key, input[(leaf * LeafLengthBytes)..][..Math.Min(LeafLengthBytes, input.Length - (leaf * LeafLengthBytes))], (ulong)leaf, 0, values[(leaf * ValueWords)..]);
    }

    /// <summary>Level by level, in place, until the two children of the root are left. A value without a sibling is carried up as it is: so the left subtree of each node is full (2.1).</summary>
    private static void Merge(ReadOnlySpan<uint> key, Span<uint> values, int count, int mostLanes)
    {
        while (count > 2)
        {
            var pairs = count / 2;
            var pair = 0;
            if (Avx512F.IsSupported && mostLanes >= 16)
                pair = Blake3Lanes<Vector512<uint>, Lanes16>.HashParents(key, values, pairs, pair);
            if (Avx2.IsSupported && mostLanes >= 8)
                pair = Blake3Lanes<Vector256<uint>, Lanes8>.HashParents(key, values, pairs, pair);
            if (Vector128.IsHardwareAccelerated && mostLanes >= 4)
                pair = Blake3Lanes<Vector128<uint>, Lanes4>.HashParents(key, values, pairs, pair);
            for (; pair < pairs; pair++)
                HashParent(key, values.Slice(pair * 2 * ValueWords, 2 * ValueWords), 0, values[(pair * ValueWords)..]);
            if (count % 2 == 1)
                values.Slice((count - 1) * ValueWords, ValueWords).CopyTo(values[(pairs * ValueWords)..]);
            count = pairs + (count % 2);
        }
    }

    private static void HashLeaf(ReadOnlySpan<uint> key, ReadOnlySpan<byte> leaf, ulong number, uint flags, Span<uint> value)
    {
        Span<uint> block = stackalloc uint[BlockLengthBytes / sizeof(uint)];
        key.CopyTo(value);
        flags |= Keyed | LeafStart;
        do
        {
            var length = Math.Min(BlockLengthBytes, leaf.Length);
            block.Clear();
            leaf[..length].CopyTo(MemoryMarshal.AsBytes(block));
            leaf = leaf[length..];
            // Only the last block of the root is marked as the root's.
            Compress(value, block, number, (uint)length, leaf.IsEmpty ? flags | LeafEnd : flags & ~Root);
            flags &= ~LeafStart;
        }
        while (!leaf.IsEmpty);
    }

    private static void HashParent(ReadOnlySpan<uint> key, ReadOnlySpan<uint> children, uint flags, Span<uint> value)
    {
        Span<uint> block = stackalloc uint[2 * ValueWords];
        children[..(2 * ValueWords)].CopyTo(block);
        key.CopyTo(value);
        Compress(value, block, 0, BlockLengthBytes, flags | Keyed | Parent);
    }

    /// <summary>The compression function, cut to its first 8 words (2.2). The four columns of the state are mixed at once, then its diagonals.</summary>
    private static void Compress(Span<uint> value, ReadOnlySpan<uint> block, ulong counter, uint length, uint flags)
    {
        var a = Vector128.Create<uint>(value);
        var b = Vector128.Create<uint>(value[4..]);
        var c = Vector128.Create(InitialValue);
        var d = Vector128.Create((uint)counter, (uint)(counter >> 32), length, flags);
        for (var round = 0; round < Schedule.Length; round += 16)
        {
            var order = Schedule.Slice(round, 16);
            Mix(ref a, ref b, ref c, ref d, Pick(block, order), Pick(block, order[1..]));
            b = Vector128.Shuffle(b, Vector128.Create(1u, 2, 3, 0));
            c = Vector128.Shuffle(c, Vector128.Create(2u, 3, 0, 1));
            d = Vector128.Shuffle(d, Vector128.Create(3u, 0, 1, 2));
            Mix(ref a, ref b, ref c, ref d, Pick(block, order[8..]), Pick(block, order[9..]));
            b = Vector128.Shuffle(b, Vector128.Create(3u, 0, 1, 2));
            c = Vector128.Shuffle(c, Vector128.Create(2u, 3, 0, 1));
            d = Vector128.Shuffle(d, Vector128.Create(1u, 2, 3, 0));
        }

        (a ^ c).CopyTo(value);
        (b ^ d).CopyTo(value[4..]);
    }

    /// <summary>Every other place of the schedule.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Pick(ReadOnlySpan<uint> block, ReadOnlySpan<byte> order) =>
        Vector128.Create(block[order[0]], block[order[2]], block[order[4]], block[order[6]]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(ref Vector128<uint> a, ref Vector128<uint> b, ref Vector128<uint> c, ref Vector128<uint> d, Vector128<uint> x, Vector128<uint> y)
    {
        a = a + b + x;
        d = Lanes4.RotateRight(d ^ a, 16);
        c += d;
        b = Lanes4.RotateRight(b ^ c, 12);
        a = a + b + y;
        d = Lanes4.RotateRight(d ^ a, 8);
        c += d;
        b = Lanes4.RotateRight(b ^ c, 7);
    }
}
