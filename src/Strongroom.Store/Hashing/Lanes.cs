using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Strongroom.Store.Hashing;

/// <summary>What <see cref="Blake3Lanes{TVector, TLanes}"/> does with vectors of 32-bit words.</summary>
internal interface ILanes<TVector>
    where TVector : unmanaged
{
    static abstract int Count { get; }

    static abstract TVector Broadcast(uint word);

    /// <summary>The number in the first lane, the next one in the second, and so on.</summary>
    static abstract TVector CountFrom(uint first);

    static abstract TVector Add(TVector left, TVector right);

    static abstract TVector Xor(TVector left, TVector right);

    static abstract TVector RotateRight(TVector vector, [ConstantExpected] byte bits);

    /// <summary>Reads a block of 16 words for each lane; blocks begin <paramref name="strideBytes"/> apart. <paramref name="words"/>[i] gets the i-th words of all.</summary>
    static abstract void LoadTransposed(ref byte first, int strideBytes, Span<TVector> words);
}

/// <summary>Four lanes, on any machine with vectors.</summary>
internal readonly struct Lanes4 : ILanes<Vector128<uint>>
{
    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> Broadcast(uint word) => Vector128.Create(word);

    public static Vector128<uint> CountFrom(uint first) => Vector128.Create(first) + Vector128<uint>.Indices;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> Add(Vector128<uint> left, Vector128<uint> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> Xor(Vector128<uint> left, Vector128<uint> right) => left ^ right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> RotateRight(Vector128<uint> vector, [ConstantExpected] byte bits) => (vector >>> bits) | (vector << (32 - bits));

    public static void LoadTransposed(ref byte first, int strideBytes, Span<Vector128<uint>> words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            ref var word = ref Unsafe.Add(ref first, i * sizeof(uint));
            words[i] = Vector128.Create(
                Unsafe.ReadUnaligned<uint>(ref word),
                Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref word, strideBytes)),
                Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref word, 2 * strideBytes)),
                Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref word, 3 * strideBytes)));
        }
    }
}

/// <summary>Eight lanes, for machines with AVX2.</summary>
internal readonly struct Lanes8 : ILanes<Vector256<uint>>
{
    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Broadcast(uint word) => Vector256.Create(word);

    public static Vector256<uint> CountFrom(uint first) => Vector256.Create(first) + Vector256<uint>.Indices;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Add(Vector256<uint> left, Vector256<uint> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Xor(Vector256<uint> left, Vector256<uint> right) => left ^ right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> RotateRight(Vector256<uint> vector, [ConstantExpected] byte bits) => (vector >>> bits) | (vector << (32 - bits));

    public static void LoadTransposed(ref byte first, int strideBytes, Span<Vector256<uint>> words)
    {
        for (var half = 0; half < 2; half++)
            Transpose(ref Unsafe.Add(ref first, half * Vector256<byte>.Count), strideBytes, words.Slice(half * 8, 8));
    }

    /// <summary>Pairs of words, pairs of those, then halves.</summary>
    private static void Transpose(ref byte first, int strideBytes, Span<Vector256<uint>> words)
    {
        for (var i = 0; i < 8; i += 4)
        {
            var a = Row(ref first, strideBytes, i);
            var b = Row(ref first, strideBytes, i + 1);
            var c = Row(ref first, strideBytes, i + 2);
            var d = Row(ref first, strideBytes, i + 3);
            var ab = Avx2.UnpackLow(a, b).AsUInt64();
            var cd = Avx2.UnpackLow(c, d).AsUInt64();
            var abHigh = Avx2.UnpackHigh(a, b).AsUInt64();
            var cdHigh = Avx2.UnpackHigh(c, d).AsUInt64();
            words[i] = Avx2.UnpackLow(ab, cd).AsUInt32();
            words[i + 1] = Avx2.UnpackHigh(ab, cd).AsUInt32();
            words[i + 2] = Avx2.UnpackLow(abHigh, cdHigh).AsUInt32();
            words[i + 3] = Avx2.UnpackHigh(abHigh, cdHigh).AsUInt32();
        }

        for (var i = 0; i < 4; i++)
        {
            var (low, high) = (words[i], words[i + 4]);
            words[i] = Avx2.Permute2x128(low, high, 0x20);
            words[i + 4] = Avx2.Permute2x128(low, high, 0x31);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Row(ref byte first, int strideBytes, int lane) =>
        Unsafe.ReadUnaligned<Vector256<uint>>(ref Unsafe.Add(ref first, lane * strideBytes));
}

/// <summary>Sixteen lanes, for machines with AVX-512.</summary>
internal readonly struct Lanes16 : ILanes<Vector512<uint>>
{
    public static int Count => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Broadcast(uint word) => Vector512.Create(word);

    public static Vector512<uint> CountFrom(uint first) => Vector512.Create(first) + Vector512<uint>.Indices;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Add(Vector512<uint> left, Vector512<uint> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Xor(Vector512<uint> left, Vector512<uint> right) => left ^ right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> RotateRight(Vector512<uint> vector, [ConstantExpected] byte bits) => Avx512F.RotateRight(vector, bits);

    /// <summary>Fours of rows are transposed within the quarters of a vector, then the quarters are put in order.</summary>
    public static void LoadTransposed(ref byte first, int strideBytes, Span<Vector512<uint>> words)
    {
        for (var i = 0; i < 16; i += 4)
        {
            var a = Row(ref first, strideBytes, i);
            var b = Row(ref first, strideBytes, i + 1);
            var c = Row(ref first, strideBytes, i + 2);
            var d = Row(ref first, strideBytes, i + 3);
            var ab = Avx512F.UnpackLow(a, b).AsUInt64();
            var cd = Avx512F.UnpackLow(c, d).AsUInt64();
            var abHigh = Avx512F.UnpackHigh(a, b).AsUInt64();
            var cdHigh = Avx512F.UnpackHigh(c, d).AsUInt64();
            words[i] = Avx512F.UnpackLow(ab, cd).AsUInt32();
            words[i + 1] = Avx512F.UnpackHigh(ab, cd).AsUInt32();
            words[i + 2] = Avx512F.UnpackLow(abHigh, cdHigh).AsUInt32();
            words[i + 3] = Avx512F.UnpackHigh(abHigh, cdHigh).AsUInt32();
        }

        for (var i = 0; i < 4; i++)
        {
            // Quarter q of words[i + 4r] holds word 4q + i of rows 4r to 4r + 3.
            var (r0, r1, r2, r3) = (words[i], words[i + 4], words[i + 8], words[i + 12]);
            var even01 = Avx512F.Shuffle4x128(r0, r1, 0x88);
            var odd01 = Avx512F.Shuffle4x128(r0, r1, 0xDD);
            var even23 = Avx512F.Shuffle4x128(r2, r3, 0x88);
            var odd23 = Avx512F.Shuffle4x128(r2, r3, 0xDD);
            words[i] = Avx512F.Shuffle4x128(even01, even23, 0x88);
            words[i + 4] = Avx512F.Shuffle4x128(odd01, odd23, 0x88);
            words[i + 8] = Avx512F.Shuffle4x128(even01, even23, 0xDD);
            words[i + 12] = Avx512F.Shuffle4x128(odd01, odd23, 0xDD);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Row(ref byte first, int strideBytes, int lane) =>
        Unsafe.ReadUnaligned<Vector512<uint>>(ref Unsafe.Add(ref first, lane * strideBytes));
}
