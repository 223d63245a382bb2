using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Strongroom.Store.Hashing;

/// <summary>BLAKE3's compression of several blocks at once, one in each lane of a vector.</summary>
/// <typeparam name="TVector">A vector of 32-bit words.</typeparam>
/// <typeparam name="TLanes">What is done with it.</typeparam>
internal static class Blake3Lanes<TVector, TLanes>
    where TVector : unmanaged
    where TLanes : ILanes<TVector>
{
    private const int ValueWords = 8;
    private const int BlockWords = Blake3.BlockLengthBytes / sizeof(uint);

    /// <summary>Hashes whole leaves from <paramref name="leaf"/> on, as many as fill all lanes. Returns the first that is left.</summary>
    public static int HashLeaves(ReadOnlySpan<uint> key, ReadOnlySpan<byte> input, int leaves, int leaf, Span<uint> values)
    {
        Span<TVector> value = stackalloc TVector[ValueWords];
        for (; leaf + TLanes.Count <= leaves; leaf += TLanes.Count)
        {
            ref var first = ref MemoryMarshal.GetReference(input.Slice(leaf * Blake3.LeafLengthBytes, TLanes.Count * Blake3.LeafLengthBytes));
            Begin(value, key);
            for (var at = 0; at < Blake3.LeafLengthBytes; at += Blake3.BlockLengthBytes)
            {
                var flags = Blake3.Keyed | (at == 0 ? Blake3.LeafStart : 0) | (at == Blake3.LeafLengthBytes - Blake3.BlockLengthBytes ? Blake3.LeafEnd : 0);
                // An input is shorter than 4 TiB: the upper half of the counter stays zero.
                Compress(ref value[0], ref Unsafe.Add(ref first, at), Blake3.LeafLengthBytes, TLanes.CountFrom((uint)leaf), flags);
            }

            Store(value, values[(leaf * ValueWords)..]);
        }

        return leaf;
    }

    /// <summary>Puts the parents of pairs of values from <paramref name="pair"/> on, as many as fill all lanes, in their place. Returns the first that is left.</summary>
    public static int HashParents(ReadOnlySpan<uint> key, Span<uint> values, int pairs, int pair)
    {
        Span<TVector> value = stackalloc TVector[ValueWords];
        for (; pair + TLanes.Count <= pairs; pair += TLanes.Count)
        {
            var children = MemoryMarshal.AsBytes(values.Slice(pair * 2 * ValueWords, TLanes.Count * 2 * ValueWords));
            Begin(value, key);
            Compress(ref value[0], ref MemoryMarshal.GetReference(children), Blake3.BlockLengthBytes, default, Blake3.Keyed | Blake3.Parent);
            Store(value, values[(pair * ValueWords)..]);
        }

        return pair;
    }

    private static void Begin(Span<TVector> value, ReadOnlySpan<uint> key)
    {
        for (var i = 0; i < ValueWords; i++)
            value[i] = TLanes.Broadcast(key[i]);
    }

    private static void Store(ReadOnlySpan<TVector> value, Span<uint> values)
    {
        var words = MemoryMarshal.Cast<TVector, uint>(value);
        for (var lane = 0; lane < TLanes.Count; lane++)
        {
            for (var i = 0; i < ValueWords; i++)
                values[(lane * ValueWords) + i] = words[(i * TLanes.Count) + lane];
        }
    }

    [SkipLocalsInit]
    private static unsafe void Compress(ref TVector value, ref byte blocks, int strideBytes, TVector counter, uint flags)
    {
        // Vectors that lie across two cache lines take twice as long.
        var space = stackalloc byte[(BlockWords * sizeof(TVector)) + sizeof(TVector) - 1];
        var block = new Span<TVector>((void*)(((nuint)space + (nuint)sizeof(TVector) - 1) & ~((nuint)sizeof(TVector) - 1)), BlockWords);
        TLanes.LoadTransposed(ref blocks, strideBytes, block);
        ref var m = ref block[0];
        ref var schedule = ref MemoryMarshal.GetReference(Blake3.Schedule);

        TVector v0 = value, v1 = Unsafe.Add(ref value, 1), v2 = Unsafe.Add(ref value, 2), v3 = Unsafe.Add(ref value, 3);
        TVector v4 = Unsafe.Add(ref value, 4), v5 = Unsafe.Add(ref value, 5), v6 = Unsafe.Add(ref value, 6), v7 = Unsafe.Add(ref value, 7);
        TVector v8 = TLanes.Broadcast(Blake3.InitialValue[0]), v9 = TLanes.Broadcast(Blake3.InitialValue[1]);
        TVector v10 = TLanes.Broadcast(Blake3.InitialValue[2]), v11 = TLanes.Broadcast(Blake3.InitialValue[3]);
        TVector v12 = counter, v13 = default, v14 = TLanes.Broadcast(Blake3.BlockLengthBytes), v15 = TLanes.Broadcast(flags);

        for (var round = 0; round < 7; round++)
        {
            ref var s = ref Unsafe.Add(ref schedule, round * 16);

            v0 = TLanes.Add(TLanes.Add(v0, v4), Unsafe.Add(ref m, s));
            v1 = TLanes.Add(TLanes.Add(v1, v5), Unsafe.Add(ref m, Unsafe.Add(ref s, 2)));
            v2 = TLanes.Add(TLanes.Add(v2, v6), Unsafe.Add(ref m, Unsafe.Add(ref s, 4)));
            v3 = TLanes.Add(TLanes.Add(v3, v7), Unsafe.Add(ref m, Unsafe.Add(ref s, 6)));
            v12 = TLanes.RotateRight(TLanes.Xor(v12, v0), 16);
            v13 = TLanes.RotateRight(TLanes.Xor(v13, v1), 16);
            v14 = TLanes.RotateRight(TLanes.Xor(v14, v2), 16);
            v15 = TLanes.RotateRight(TLanes.Xor(v15, v3), 16);
            v8 = TLanes.Add(v8, v12);
            v9 = TLanes.Add(v9, v13);
            v10 = TLanes.Add(v10, v14);
            v11 = TLanes.Add(v11, v15);
            v4 = TLanes.RotateRight(TLanes.Xor(v4, v8), 12);
            v5 = TLanes.RotateRight(TLanes.Xor(v5, v9), 12);
            v6 = TLanes.RotateRight(TLanes.Xor(v6, v10), 12);
            v7 = TLanes.RotateRight(TLanes.Xor(v7, v11), 12);
            v0 = TLanes.Add(TLanes.Add(v0, v4), Unsafe.Add(ref m, Unsafe.Add(ref s, 1)));
            v1 = TLanes.Add(TLanes.Add(v1, v5), Unsafe.Add(ref m, Unsafe.Add(ref s, 3)));
            v2 = TLanes.Add(TLanes.Add(v2, v6), Unsafe.Add(ref m, Unsafe.Add(ref s, 5)));
            v3 = TLanes.Add(TLanes.Add(v3, v7), Unsafe.Add(ref m, Unsafe.Add(ref s, 7)));
            v12 = TLanes.RotateRight(TLanes.Xor(v12, v0), 8);
            v13 = TLanes.RotateRight(TLanes.Xor(v13, v1), 8);
            v14 = TLanes.RotateRight(TLanes.Xor(v14, v2), 8);
            v15 = TLanes.RotateRight(TLanes.Xor(v15, v3), 8);
            v8 = TLanes.Add(v8, v12);
            v9 = TLanes.Add(v9, v13);
            v10 = TLanes.Add(v10, v14);
            v11 = TLanes.Add(v11, v15);
            v4 = TLanes.RotateRight(TLanes.Xor(v4, v8), 7);
            v5 = TLanes.RotateRight(TLanes.Xor(v5, v9), 7);
            v6 = TLanes.RotateRight(TLanes.Xor(v6, v10), 7);
            v7 = TLanes.RotateRight(TLanes.Xor(v7, v11), 7);

            v0 = TLanes.Add(TLanes.Add(v0, v5), Unsafe.Add(ref m, Unsafe.Add(ref s, 8)));
            v1 = TLanes.Add(TLanes.Add(v1, v6), Unsafe.Add(ref m, Unsafe.Add(ref s, 10)));
            v2 = TLanes.Add(TLanes.Add(v2, v7), Unsafe.Add(ref m, Unsafe.Add(ref s, 12)));
            v3 = TLanes.Add(TLanes.Add(v3, v4), Unsafe.Add(ref m, Unsafe.Add(ref s, 14)));
            v15 = TLanes.RotateRight(TLanes.Xor(v15, v0), 16);
            v12 = TLanes.RotateRight(TLanes.Xor(v12, v1), 16);
            v13 = TLanes.RotateRight(TLanes.Xor(v13, v2), 16);
            v14 = TLanes.RotateRight(TLanes.Xor(v14, v3), 16);
            v10 = TLanes.Add(v10, v15);
            v11 = TLanes.Add(v11, v12);
            v8 = TLanes.Add(v8, v13);
            v9 = TLanes.Add(v9, v14);
            v5 = TLanes.RotateRight(TLanes.Xor(v5, v10), 12);
            v6 = TLanes.RotateRight(TLanes.Xor(v6, v11), 12);
            v7 = TLanes.RotateRight(TLanes.Xor(v7, v8), 12);
            v4 = TLanes.RotateRight(TLanes.Xor(v4, v9), 12);
            v0 = TLanes.Add(TLanes.Add(v0, v5), Unsafe.Add(ref m, Unsafe.Add(ref s, 9)));
            v1 = TLanes.Add(TLanes.Add(v1, v6), Unsafe.Add(ref m, Unsafe.Add(ref s, 11)));
            v2 = TLanes.Add(TLanes.Add(v2, v7), Unsafe.Add(ref m, Unsafe.Add(ref s, 13)));
            v3 = TLanes.Add(TLanes.Add(v3, v4), Unsafe.Add(ref m, Unsafe.Add(ref s, 15)));
            v15 = TLanes.RotateRight(TLanes.Xor(v15, v0), 8);
            v12 = TLanes.RotateRight(TLanes.Xor(v12, v1), 8);
            v13 = TLanes.RotateRight(TLanes.Xor(v13, v2), 8);
            v14 = TLanes.RotateRight(TLanes.Xor(v14, v3), 8);
            v10 = TLanes.Add(v10, v15);
            v11 = TLanes.Add(v11, v12);
            v8 = TLanes.Add(v8, v13);
            v9 = TLanes.Add(v9, v14);
            v5 = TLanes.RotateRight(TLanes.Xor(v5, v10), 7);
            v6 = TLanes.RotateRight(TLanes.Xor(v6, v11), 7);
            v7 = TLanes.RotateRight(TLanes.Xor(v7, v8), 7);
            v4 = TLanes.RotateRight(TLanes.Xor(v4, v9), 7);
        }

        value = TLanes.Xor(v0, v8);
        Unsafe.Add(ref value, 1) = TLanes.Xor(v1, v9);
        Unsafe.Add(ref value, 2) = TLanes.Xor(v2, v10);
        Unsafe.Add(ref value, 3) = TLanes.Xor(v3, v11);
        Unsafe.Add(ref value, 4) = TLanes.Xor(v4, v12);
        Unsafe.Add(ref value, 5) = TLanes.Xor(v5, v13);
        Unsafe.Add(ref value, 6) = TLanes.Xor(v6, v14);
        Unsafe.Add(ref value, 7) = TLanes.Xor(v7, v15);
    }
}
