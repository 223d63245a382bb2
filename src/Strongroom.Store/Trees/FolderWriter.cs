using System.Buffers;
using System.IO.Hashing;
using Strongroom.Store.Packs;
using Strongroom.Store.Streams;

namespace Strongroom.Store.Trees;

/// <summary>Makes the pages of one folder from its entries in order, sharing those that the parent has. Not for concurrent use.</summary>
internal sealed class FolderWriter(ISessionChunks chunks, byte[] nodeKey, ParentNodes known)
{
    private const int GreatestPageLengthBytes = 64 << 10;
    private const int LeastPageLengthBytes = 16 << 10;
    private const ulong EndMask = 127;
    private readonly StreamManifest manifest = new(chunks, nodeKey, known);
    private readonly ArrayBufferWriter<byte> page = new();

    /// <summary>Takes an entry as <see cref="TreePage.Format"/> made it.</summary>
    public async ValueTask AddAsync(ReadOnlyMemory<byte> name, byte[] entry, CancellationToken cancellationToken)
    {
        if (page.WrittenCount > 0 && page.WrittenCount + entry.Length > GreatestPageLengthBytes)
            await FlushAsync(cancellationToken);
        page.Write(entry);
        if (page.WrittenCount >= LeastPageLengthBytes && (XxHash3.HashToUInt64(name.Span) & EndMask) == 0)
            await FlushAsync(cancellationToken);
    }

    public async ValueTask<StreamRef> FinishAsync(CancellationToken cancellationToken)
    {
        if (page.WrittenCount > 0)
            await FlushAsync(cancellationToken);
        return await manifest.FinishAsync(cancellationToken);
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var bytes = page.WrittenSpan.ToArray();
        page.ResetWrittenCount();
        var slot = await known.FindAsync(ChunkId.Compute(nodeKey, bytes), bytes.Length, cancellationToken)
            ?? await chunks.StoreNodeAsync(bytes, cancellationToken);
        await manifest.AddAsync(bytes.Length, slot, cancellationToken);
    }
}
