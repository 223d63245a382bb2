using System.Buffers;
using System.Buffers.Binary;

namespace Strongroom.Blocks.Nbd;

/// <summary>Reads replies and puts their content where the requests want it (doc/proto.md, "Transmission phase").</summary>
/// <remarks>
/// One loop per connection. An error that the server reports ends one request; anything that breaks the protocol is thrown, and ends the connection,
/// because after it no one knows where the next reply begins.
/// </remarks>
internal sealed class NbdReplyReceiver(BufferedWire wire, NbdExport export, Func<ulong, NbdRequest?> find, Action<NbdRequest> finish)
{
    // QEMU sends at most an eighth of it, nbdkit no more.
    private const uint MostDescriptors = 1024 * 1024;
    private const int LongestPieceBytes = 64 * 1024; // a whole number of descriptors of either kind
    private const uint LongestErrorBytes = 64 * 1024;

    // Servers send a read's pieces in order, or nearly so: each gap has to be remembered.
    private const int MostGaps = 1024;

    /// <summary>Receives one simple reply or one chunk of a structured or extended one.</summary>
    /// <exception cref="IOException">The connection ended or the server broke the protocol.</exception>
    public async ValueTask ReceiveAsync(CancellationToken cancellationToken)
    {
        var header = await wire.ReadSmallAsync(NbdProtocol.SimpleReplyLengthBytes, cancellationToken).ConfigureAwait(false);
        var magic = BinaryPrimitives.ReadUInt32BigEndian(header.Span);
        var flags = BinaryPrimitives.ReadUInt16BigEndian(header.Span[4..]);
        var type = BinaryPrimitives.ReadUInt16BigEndian(header.Span[6..]);
        var error = BinaryPrimitives.ReadUInt32BigEndian(header.Span[4..]);
        var cookie = BinaryPrimitives.ReadUInt64BigEndian(header.Span[8..]);
        switch (magic)
        {
            case NbdProtocol.ExtendedReplyMagic when export.Headers == NbdHeaders.Extended:
                var extended = await wire.ReadSmallAsync(NbdProtocol.ExtendedReplyLengthBytes - header.Length, cancellationToken).ConfigureAwait(false);
                var request = Find(cookie);
                if (BinaryPrimitives.ReadInt64BigEndian(extended.Span) != request.OffsetBytes)
                    throw new IOException("The NBD server answered for another offset than was asked for.");
                await ReceiveChunkAsync(request, flags, type, BinaryPrimitives.ReadUInt64BigEndian(extended.Span[8..]), cancellationToken).ConfigureAwait(false);
                break;
            case NbdProtocol.StructuredReplyMagic when export.Headers == NbdHeaders.Structured:
                var rest = await wire.ReadSmallAsync(NbdProtocol.StructuredReplyLengthBytes - header.Length, cancellationToken).ConfigureAwait(false);
                await ReceiveChunkAsync(Find(cookie), flags, type, BinaryPrimitives.ReadUInt32BigEndian(rest.Span), cancellationToken).ConfigureAwait(false);
                break;
            case NbdProtocol.SimpleReplyMagic:
                await ReceiveSimpleAsync(Find(cookie), error, cancellationToken).ConfigureAwait(false);
                break;
            default:
                throw new IOException("The NBD server sent a reply with the wrong magic number.");
        }
    }

    private async ValueTask ReceiveChunkAsync(NbdRequest request, ushort flags, ushort type, ulong length, CancellationToken cancellationToken)
    {
        if (length > uint.MaxValue)
            throw WrongLength(type, length);
        await ReceivePayloadAsync(request, type, (uint)length, cancellationToken).ConfigureAwait(false);
        if ((flags & NbdProtocol.ChunkIsLast) != 0)
            FinishChunked(request);
        else if (type == NbdProtocol.ChunkNone)
            throw new IOException("The NBD server sent an empty chunk that is not the last one.");
    }

    private NbdRequest Find(ulong cookie) =>
        find(cookie) ?? throw new IOException($"The NBD server answered a request that was not made (cookie 0x{cookie:x}).");

    /// <summary>"Simple reply message": with structured replies agreed on, reads must not be answered so, and we send nothing else that may.</summary>
    private async ValueTask ReceiveSimpleAsync(NbdRequest request, uint error, CancellationToken cancellationToken)
    {
        if (export.Headers != NbdHeaders.Simple || request.Command != NbdProtocol.CommandRead)
            throw new IOException("The NBD server sent a simple reply where a structured one is demanded.");
        if (error != 0)
            request.Error = ServerError(request, error, "");
        else
            await wire.ReadIntoAsync(request.Buffer, cancellationToken).ConfigureAwait(false);
        finish(request);
    }

    private async ValueTask ReceivePayloadAsync(NbdRequest request, ushort type, uint length, CancellationToken cancellationToken)
    {
        switch (type)
        {
            case NbdProtocol.ChunkNone:
                if (length != 0)
                    throw WrongLength(type, length);
                break;
            case NbdProtocol.ChunkOffsetData when request.Command == NbdProtocol.CommandRead:
                if (length <= 8 || length - 8 > request.LengthBytes)
                    throw WrongLength(type, length);
                var data = await wire.ReadSmallAsync(8, cancellationToken).ConfigureAwait(false);
                var place = Claim(request, BinaryPrimitives.ReadUInt64BigEndian(data.Span), length - 8);
                await wire.ReadIntoAsync(place, cancellationToken).ConfigureAwait(false);
                break;
            case NbdProtocol.ChunkOffsetHole when request.Command == NbdProtocol.CommandRead:
                if (length != 12)
                    throw WrongLength(type, length);
                var hole = await wire.ReadSmallAsync(12, cancellationToken).ConfigureAwait(false);
                Claim(request, BinaryPrimitives.ReadUInt64BigEndian(hole.Span), BinaryPrimitives.ReadUInt32BigEndian(hole.Span[8..])).Span.Clear();
                break;
            case NbdProtocol.ChunkBlockStatus when request.Command == NbdProtocol.CommandBlockStatus && export.Headers == NbdHeaders.Structured:
                await ReceiveStatusAsync(request, type, length, headBytes: 4, descriptorBytes: 8, cancellationToken).ConfigureAwait(false);
                break;
            case NbdProtocol.ChunkBlockStatusExtended when request.Command == NbdProtocol.CommandBlockStatus && export.Headers == NbdHeaders.Extended:
                await ReceiveStatusAsync(request, type, length, headBytes: 8, descriptorBytes: 16, cancellationToken).ConfigureAwait(false);
                break;
            case >= NbdProtocol.ChunkErrorBit:
                await ReceiveErrorAsync(request, type, length, cancellationToken).ConfigureAwait(false);
                break;
            default:
                throw new IOException($"The NBD server sent a chunk of type {type}, which does not belong to the request.");
        }
    }

    /// <summary>The caller's memory for a part of a read; each byte is given out once ("chunks MUST NOT overlap").</summary>
    private static Memory<byte> Claim(NbdRequest request, ulong offset, uint length)
    {
        var start = (ulong)request.OffsetBytes;
        if (length == 0 || offset < start || offset - start > (ulong)request.LengthBytes || length > (ulong)request.LengthBytes - (offset - start))
            throw new IOException($"The NBD server sent {length} bytes at offset {offset}, outside of what was asked for.");
        if (!request.Coverage.TryAdd((long)offset, length))
            throw new IOException($"The NBD server sent bytes at offset {offset} twice.");
        if (request.Coverage.RunCount > MostGaps)
            throw new IOException($"The NBD server sent a read in pieces that leave more than {MostGaps} gaps.");
        return request.Buffer.Slice((int)(offset - start), (int)length);
    }

    /// <summary>
    /// NBD_REPLY_TYPE_BLOCK_STATUS: context number, then pairs of length and flags of 32 bits; NBD_REPLY_TYPE_BLOCK_STATUS_EXT: context number, their count or 0,
    /// then pairs of 64 bits.
    /// </summary>
    private async ValueTask ReceiveStatusAsync(NbdRequest request, ushort type, uint length, int headBytes, int descriptorBytes, CancellationToken cancellationToken)
    {
        var count = (length - headBytes) / descriptorBytes;
        if (count is < 1 or > MostDescriptors || length != headBytes + (count * descriptorBytes))
            throw WrongLength(type, length);
        var head = await wire.ReadSmallAsync(headBytes, cancellationToken).ConfigureAwait(false);
        var context = BinaryPrimitives.ReadUInt32BigEndian(head.Span);
        if (headBytes == 8 && BinaryPrimitives.ReadUInt32BigEndian(head.Span[4..]) is not 0 and var announced && announced != count)
            throw new IOException($"The NBD server announced {announced} runs and sent {count}.");
        var extents = await ReceiveDescriptorsAsync(count, descriptorBytes, cancellationToken).ConfigureAwait(false);
        if (!export.MetaContexts.Values.Contains(context) || !request.Status.TryAdd(context, extents))
            throw new IOException($"The NBD server sent the status of meta context {context} unasked or twice.");
    }

    /// <summary>Takes memory for what has come, not for what was announced.</summary>
    private async ValueTask<List<NbdExtent>> ReceiveDescriptorsAsync(long count, int descriptorBytes, CancellationToken cancellationToken)
    {
        var extents = new List<NbdExtent>();
        var piece = ArrayPool<byte>.Shared.Rent(LongestPieceBytes);
        try
        {
            while (extents.Count < count)
            {
                var bytes = piece.AsMemory(0, (int)Math.Min((count - extents.Count) * descriptorBytes, LongestPieceBytes));
                await wire.ReadIntoAsync(bytes, cancellationToken).ConfigureAwait(false);
                for (var index = 0; index < bytes.Length; index += descriptorBytes)
                    extents.Add(ParseDescriptor(bytes.Span.Slice(index, descriptorBytes)));
            }

            return extents;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private static NbdExtent ParseDescriptor(ReadOnlySpan<byte> bytes)
    {
        var extent = bytes.Length == 8
            ? new NbdExtent(BinaryPrimitives.ReadUInt32BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]))
            : new NbdExtent(BinaryPrimitives.ReadInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
        return extent.LengthBytes > 0 ? extent : throw new IOException("The NBD server described a run of no length, or of an impossible one.");
    }

    /// <summary>"Error chunk types": error number, text, and for some types an offset that we have no use for. Unknown types begin in the same way.</summary>
    private async ValueTask ReceiveErrorAsync(NbdRequest request, ushort type, uint length, CancellationToken cancellationToken)
    {
        if (length is < 6 or > LongestErrorBytes)
            throw WrongLength(type, length);
        var head = await wire.ReadSmallAsync(6, cancellationToken).ConfigureAwait(false);
        var error = BinaryPrimitives.ReadUInt32BigEndian(head.Span);
        var textLength = BinaryPrimitives.ReadUInt16BigEndian(head.Span[4..]);
        if (textLength > length - 6)
            throw WrongLength(type, length);
        var text = new byte[textLength];
        await wire.ReadIntoAsync(text, cancellationToken).ConfigureAwait(false);
        await wire.SkipAsync((int)length - 6 - textLength, cancellationToken).ConfigureAwait(false);
        if (error == 0)
            throw new IOException("The NBD server sent an error chunk without an error.");
        request.Error ??= ServerError(request, error, NbdText.Printable(text));
    }

    private void FinishChunked(NbdRequest request)
    {
        if (request.Error is null)
        {
            if (request.Command == NbdProtocol.CommandRead && !request.Coverage.IsExactly(request.OffsetBytes, request.LengthBytes))
                throw new IOException("The NBD server ended a read without sending all of it.");
            if (request.Command == NbdProtocol.CommandBlockStatus && request.Status.Count != export.MetaContexts.Count)
                throw new IOException("The NBD server ended a block status without describing every meta context.");
        }

        finish(request);
    }

    private static IOException ServerError(NbdRequest request, uint error, string text)
    {
        var what = request.Command == NbdProtocol.CommandRead ? "read" : "describe";
        var more = text.Length == 0 ? "" : $" ({text})";
        return new IOException($"The NBD server could not {what} {request.LengthBytes} bytes at offset {request.OffsetBytes}: {NbdProtocol.Describe(error)}{more}.");
    }

    private static IOException WrongLength(ushort type, ulong length) => new($"The NBD server sent a chunk of type {type} with a length of {length} bytes.");
}
