using System.Buffers;
using System.Collections.Concurrent;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Packs;

/// <summary>
/// Reads back some of the chunks that a session is about to refer to instead of storing them: the first of each pack, and one of
/// <paramref name="sampleEvery"/> after it. Without it a chunk that rotted would be inherited by every later backup. Thread-safe.
/// </summary>
internal sealed class ReuseCheck(PackReader packs, int sampleEvery)
{
    private readonly ConcurrentDictionary<uint, byte> sampled = [];
    private int count;

    /// <summary>False when the chunk was read back and is damaged or missing, or when its pack failed a read before: it has to be stored anew.</summary>
    public async ValueTask<bool> IsSoundAsync(Slot chunk, int rawLengthBytes, CancellationToken cancellationToken)
    {
        if (packs.Suspects.Contains(chunk.PackSeq))
            return false;
        if (!sampled.TryAdd(chunk.PackSeq, 0) && Interlocked.Increment(ref count) % sampleEvery != 0)
            return true;
        var raw = ArrayPool<byte>.Shared.Rent(rawLengthBytes);
        try
        {
            await packs.ReadChunkAsync(PackContent.Data, chunk, raw.AsMemory(0, rawLengthBytes), cancellationToken);
            return true;
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            // Where it was moved, the failure is known of its new place only.
            packs.Suspects.Add(chunk.PackSeq, failure.What);
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(raw);
        }
    }
}
