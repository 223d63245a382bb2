using System.Buffers;

namespace Strongroom.Blocks.Iscsi.Pdus;

/// <summary>Takes PDUs from a connection (RFC 7143, 11.2). What is too long is refused before there is memory for it.</summary>
internal sealed class PduReader(BufferedWire wire)
{
    /// <summary>Data of a PDU before anything else is negotiated.</summary>
    public const int DefaultDataBytes = 8192;

    /// <summary>The most data that a PDU may carry: our MaxRecvDataSegmentLength.</summary>
    public int MostDataBytes { get; set; } = DefaultDataBytes;

    public bool HasHeaderDigest { get; set; }

    public bool HasDataDigest { get; set; }

    /// <exception cref="IscsiProtocolException">The PDU is malformed, or a digest does not match.</exception>
    /// <exception cref="EndOfStreamException">The initiator closed the connection.</exception>
    public async ValueTask<Pdu> ReadAsync(CancellationToken cancellationToken)
    {
        // Copied: what the wire hands out is valid only until the next read.
        var header = (await wire.ReadSmallAsync(Pdu.HeaderLengthBytes, cancellationToken).ConfigureAwait(false)).ToArray();
        var additionalLength = header[4] * 4;
        var dataLength = (header[5] << 16) | (header[6] << 8) | header[7];
        var additional = await ReadAdditionalAsync(header, additionalLength, cancellationToken).ConfigureAwait(false);
        if (dataLength > MostDataBytes)
            throw new IscsiProtocolException($"The initiator sent {dataLength} bytes of data in a PDU where {MostDataBytes} are allowed.");
        return new(header, additional, await ReadDataAsync(dataLength, cancellationToken).ConfigureAwait(false), dataLength);
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadAdditionalAsync(byte[] header, int lengthBytes, CancellationToken cancellationToken)
    {
        if (lengthBytes == 0 && !HasHeaderDigest)
            return default;
        var rest = new byte[lengthBytes + (HasHeaderDigest ? Crc32C.LengthBytes : 0)];
        await wire.ReadIntoAsync(rest, cancellationToken).ConfigureAwait(false);
        if (HasHeaderDigest && !Crc32C.Matches(rest.AsSpan(lengthBytes), [.. header, .. rest.AsSpan(0, lengthBytes)]))
            throw new IscsiProtocolException("The digest of a header does not match.");
        return rest.AsMemory(0, lengthBytes);
    }

    private async ValueTask<byte[]> ReadDataAsync(int lengthBytes, CancellationToken cancellationToken)
    {
        if (lengthBytes == 0)
            return [];
        var padded = (lengthBytes + 3) & ~3;
        var total = padded + (HasDataDigest ? Crc32C.LengthBytes : 0);
        var buffer = ArrayPool<byte>.Shared.Rent(total);
        try
        {
            await wire.ReadIntoAsync(buffer.AsMemory(0, total), cancellationToken).ConfigureAwait(false);
            if (HasDataDigest && !Crc32C.Matches(buffer.AsSpan(padded), buffer.AsSpan(0, padded)))
                throw new IscsiProtocolException("The digest of data does not match.", RejectReason.DataDigestError);
            return buffer;
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }
}
