namespace Strongroom.Store.Packs;

/// <summary>A chunk ready to be sealed: as it is, as one zstd frame, or in parts of 64 KiB. Not for concurrent use.</summary>
internal sealed class EncodedChunk
{
    private readonly List<EncodedPart> parts = [];

    public ChunkCodec Codec { get; private set; }

    public int RawLengthBytes { get; private set; }

    /// <summary>What it will take in a pack, tags and table included.</summary>
    public int StoredLengthBytes { get; private set; }

    /// <summary>One where the codec is not <see cref="ChunkCodec.Parts"/>.</summary>
    public IReadOnlyList<EncodedPart> Parts => parts;

    /// <summary>A chunk that is not compressed.</summary>
    public static EncodedChunk OfRaw(ReadOnlyMemory<byte> raw)
    {
        var chunk = new EncodedChunk();
        chunk.Begin(raw.Length);
        do
        {
            var part = raw[..Math.Min(raw.Length, FrameFormat.PartLengthBytes)];
            chunk.Add(new(part, false));
            raw = raw[part.Length..];
        }
        while (raw.Length > 0);
        chunk.Complete();
        return chunk;
    }

    /// <summary>Forgets what it held.</summary>
    public void Begin(int rawLengthBytes)
    {
        parts.Clear();
        RawLengthBytes = rawLengthBytes;
        StoredLengthBytes = 0;
    }

    public void Add(EncodedPart part)
    {
        parts.Add(part);
        StoredLengthBytes += part.Payload.Length + FrameFormat.TagLengthBytes;
    }

    public void Complete()
    {
        if (parts.Count == 1)
        {
            Codec = parts[0].IsCompressed ? ChunkCodec.Zstd : ChunkCodec.Raw;
            return;
        }

        Codec = ChunkCodec.Parts;
        StoredLengthBytes += FrameFormat.TableLengthOf(parts.Count);
    }
}

/// <summary>64 KiB of a chunk, or the whole of a shorter one, before it is sealed.</summary>
internal readonly record struct EncodedPart(ReadOnlyMemory<byte> Payload, bool IsCompressed);
