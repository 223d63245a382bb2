using System.Numerics;
using Strongroom.Store.Caching;
using Strongroom.Store.Packs;

namespace Strongroom.Store;

/// <summary>How a <see cref="ReadCache"/> served so far.</summary>
/// <param name="Hits">Pieces of up to 64 KiB that were found.</param>
/// <param name="Misses">Pieces that were not.</param>
/// <param name="Pieces">Pieces that it holds.</param>
/// <param name="Bytes">Memory that it took for them; never more than its capacity.</param>
public readonly record struct ReadCacheStatistics(long Hits, long Misses, long Pieces, long Bytes);

/// <summary>Plaintext that readers of images share, of all vaults that are opened with it (<see cref="VaultStoreOptions.ReadCache"/>). Verified before it comes in, wiped when its vault is closed. Thread-safe.</summary>
/// <remarks>Memory is taken as it is needed and kept. Recovery points that share a chunk share its plaintext here.</remarks>
public sealed class ReadCache
{
    /// <summary>Four pieces of 64 KiB.</summary>
    public const long LeastBytes = 4 * PieceLengthBytes;

    internal const int PieceLengthBytes = FrameFormat.PartLengthBytes;
    private const int PiecesOfStripe = 128;
    private const int MostStripes = 64;
    private const int ReadAheadShare = 8;
    private const int MostReadAheads = 16;
    private readonly CacheStripe[] stripes;
    private readonly int stripeShift;
    private long lastVault;
    private int readAheads;

    /// <param name="capacityBytes">The greatest amount of memory for plaintext; at least <see cref="LeastBytes"/>, whole pieces of 64 KiB.</param>
    public ReadCache(long capacityBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacityBytes, LeastBytes);
        CapacityBytes = capacityBytes;
        var pieces = capacityBytes / PieceLengthBytes;
        var count = (int)BitOperations.RoundUpToPowerOf2((ulong)Math.Clamp(pieces / PiecesOfStripe, 1, MostStripes));
        stripes = [.. Enumerable.Range(0, count).Select(i => new CacheStripe(checked((int)((pieces / count) + (i < pieces % count ? 1 : 0)))))];
        stripeShift = 64 - BitOperations.Log2((uint)count);
    }

    public long CapacityBytes { get; }

    public ReadCacheStatistics Statistics => stripes.Select(stripe => stripe.Statistics).Aggregate((sum, one) =>
        new(sum.Hits + one.Hits, sum.Misses + one.Misses, sum.Pieces + one.Pieces, sum.Bytes + one.Bytes));

    internal ReadFlights Flights { get; } = new();

    /// <summary>How far ahead of one reader chunks are fetched at the most, in bytes.</summary>
    internal long GreatestReadAheadBytes => CapacityBytes / ReadAheadShare;

    /// <summary>A number that no other opened vault has here.</summary>
    internal long NewVault() => Interlocked.Increment(ref lastVault);

    /// <summary>Copies from a piece, from byte <paramref name="within"/> on. False when it is not there.</summary>
    internal bool TryRead(in PieceKey key, int within, Span<byte> target) => StripeOf(key).TryRead(key, within, target);

    internal bool Contains(in PieceKey key) => StripeOf(key).Contains(key);

    /// <summary>Keeps a copy of verified bytes, up to 64 KiB.</summary>
    internal void Add(in PieceKey key, ReadOnlySpan<byte> content) => StripeOf(key).Add(key, content);

    /// <summary>Wipes what belongs to a vault.</summary>
    internal void Forget(long vault)
    {
        foreach (var stripe in stripes)
            stripe.Forget(vault);
    }

    /// <summary>True when one more chunk may be fetched ahead now, of all readers; then <see cref="EndReadAhead"/> follows.</summary>
    internal bool TryBeginReadAhead()
    {
        if (Interlocked.Increment(ref readAheads) <= MostReadAheads)
            return true;
        EndReadAhead();
        return false;
    }

    internal void EndReadAhead() => Interlocked.Decrement(ref readAheads);

    private CacheStripe StripeOf(in PieceKey key) => stripes.Length == 1 ? stripes[0] : stripes[(int)(key.Hash >> stripeShift)];
}
