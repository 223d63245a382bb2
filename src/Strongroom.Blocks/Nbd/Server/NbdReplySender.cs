using System.Buffers;
using System.Buffers.Binary;

namespace Strongroom.Blocks.Nbd.Server;

/// <summary>Writes replies, one at a time, whoever's turn it is (doc/proto.md, "Transmission phase").</summary>
/// <remarks>Safe from many threads. An exception leaves the connection of no use: nobody knows how much was sent.</remarks>
internal sealed class NbdReplySender(BufferedWire wire, bool isStructured) : IDisposable
{
    /// <summary>Room that a read's buffer has before its data, so that a header goes out with the data in one write.</summary>
    public const int HeadroomBytes = NbdProtocol.StructuredReplyLengthBytes + 8;

    /// <summary>Zeros are looked for at this grain of the device.</summary>
    private const int GrainBytes = 64 * 1024;

    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>A reply without data.</summary>
    public Task DoneAsync(ulong cookie, CancellationToken cancellationToken) => ErrorAsync(cookie, 0, cancellationToken);

    /// <summary>A reply of an error; 0 is none.</summary>
    public async Task ErrorAsync(ulong cookie, uint error, CancellationToken cancellationToken)
    {
        var message = new byte[NbdProtocol.StructuredReplyLengthBytes + 6];
        int length;
        if (!isStructured)
        {
            WriteSimple(message, cookie, error);
            length = NbdProtocol.SimpleReplyLengthBytes;
        }
        else if (error == 0)
        {
            WriteChunk(message, cookie, NbdProtocol.ChunkIsLast, NbdProtocol.ChunkNone, 0);
            length = NbdProtocol.StructuredReplyLengthBytes;
        }
        else
        {
            WriteChunk(message, cookie, NbdProtocol.ChunkIsLast, NbdProtocol.ChunkError, 6);
            BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(NbdProtocol.StructuredReplyLengthBytes), error);
            length = message.Length;
        }

        await SendAsync(message.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What was read, which begins <see cref="HeadroomBytes"/> into the buffer; the room before it is written over. Runs of zeros go as holes.</summary>
    public async Task DataAsync(ulong cookie, long offsetBytes, Memory<byte> buffer, bool inOneChunk, CancellationToken cancellationToken)
    {
        if (!isStructured)
        {
            var start = HeadroomBytes - NbdProtocol.SimpleReplyLengthBytes;
            WriteSimple(buffer.Span[start..], cookie, 0);
            await SendAsync(buffer[start..], cancellationToken).ConfigureAwait(false);
            return;
        }

        // In one turn: each header is written over the end of the run before it, which is gone by then.
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var data = buffer[HeadroomBytes..];
            for (var start = 0; start < data.Length;)
            {
                var isZero = false;
                var end = inOneChunk ? data.Length : EndOfRun(data.Span, start, offsetBytes, out isZero);
                var flags = end == data.Length ? NbdProtocol.ChunkIsLast : (ushort)0;
                var message = isZero ? WriteHole(cookie, flags, offsetBytes + start, end - start) : WriteData(buffer, cookie, flags, offsetBytes + start, start, end);
                await wire.WriteAsync(message, cancellationToken).ConfigureAwait(false);
                start = end;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The answer to NBD_CMD_BLOCK_STATUS for base:allocation.</summary>
    public async Task StatusAsync(ulong cookie, IReadOnlyList<BlockExtent> extents, CancellationToken cancellationToken)
    {
        var length = 4 + (8 * extents.Count);
        var message = ArrayPool<byte>.Shared.Rent(NbdProtocol.StructuredReplyLengthBytes + length);
        try
        {
            WriteChunk(message, cookie, NbdProtocol.ChunkIsLast, NbdProtocol.ChunkBlockStatus, (uint)length);
            var body = message.AsSpan(NbdProtocol.StructuredReplyLengthBytes);
            BinaryPrimitives.WriteUInt32BigEndian(body, NbdServerNegotiation.AllocationContext);
            for (var index = 0; index < extents.Count; index++)
            {
                var extent = body[(4 + (8 * index))..];
                BinaryPrimitives.WriteUInt32BigEndian(extent, (uint)extents[index].LengthBytes);
                BinaryPrimitives.WriteUInt32BigEndian(extent[4..], extents[index].Kind == BlockKind.Zero ? (uint)(NbdMetaContexts.AllocationHole | NbdMetaContexts.AllocationZero) : 0);
            }

            await SendAsync(message.AsMemory(0, NbdProtocol.StructuredReplyLengthBytes + length), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(message);
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await wire.WriteAsync(message, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    private static byte[] WriteHole(ulong cookie, ushort flags, long offsetBytes, int lengthBytes)
    {
        var message = new byte[NbdProtocol.StructuredReplyLengthBytes + 12];
        WriteChunk(message, cookie, flags, NbdProtocol.ChunkOffsetHole, 12);
        BinaryPrimitives.WriteUInt64BigEndian(message.AsSpan(NbdProtocol.StructuredReplyLengthBytes), (ulong)offsetBytes);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(NbdProtocol.StructuredReplyLengthBytes + 8), (uint)lengthBytes);
        return message;
    }

    private static Memory<byte> WriteData(Memory<byte> buffer, ulong cookie, ushort flags, long offsetBytes, int start, int end)
    {
        // The data at start lies HeadroomBytes further in the buffer, so the header fits just before it.
        var message = buffer[start..(HeadroomBytes + end)];
        WriteChunk(message.Span, cookie, flags, NbdProtocol.ChunkOffsetData, (uint)(8 + end - start));
        BinaryPrimitives.WriteUInt64BigEndian(message.Span[NbdProtocol.StructuredReplyLengthBytes..], (ulong)offsetBytes);
        return message;
    }

    private static void WriteSimple(Span<byte> target, ulong cookie, uint error)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target, NbdProtocol.SimpleReplyMagic);
        BinaryPrimitives.WriteUInt32BigEndian(target[4..], error);
        BinaryPrimitives.WriteUInt64BigEndian(target[8..], cookie);
    }

    private static void WriteChunk(Span<byte> target, ulong cookie, ushort flags, ushort type, uint lengthBytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target, NbdProtocol.StructuredReplyMagic);
        BinaryPrimitives.WriteUInt16BigEndian(target[4..], flags);
        BinaryPrimitives.WriteUInt16BigEndian(target[6..], type);
        BinaryPrimitives.WriteUInt64BigEndian(target[8..], cookie);
        BinaryPrimitives.WriteUInt32BigEndian(target[16..], lengthBytes);
    }

    private static int EndOfRun(ReadOnlySpan<byte> data, int start, long offsetBytes, out bool isZero)
    {
        var end = EndOfGrain(data, start, offsetBytes);
        isZero = IsZero(data[start..end]);
        while (end < data.Length)
        {
            var next = EndOfGrain(data, end, offsetBytes);
            if (IsZero(data[end..next]) != isZero)
                break;
            end = next;
        }

        return end;
    }

    private static int EndOfGrain(ReadOnlySpan<byte> data, int start, long offsetBytes) =>
        (int)Math.Min(data.Length, start + GrainBytes - ((offsetBytes + start) % GrainBytes));

    private static bool IsZero(ReadOnlySpan<byte> data) => data.IndexOfAnyExcept((byte)0) < 0;
}
