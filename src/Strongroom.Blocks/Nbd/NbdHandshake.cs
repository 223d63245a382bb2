using System.Buffers.Binary;

namespace Strongroom.Blocks.Nbd;

/// <summary>Opens an export: from the first option that changes something to the transmission phase (doc/proto.md, "Negotiation").</summary>
/// <remarks>Every violation is an <see cref="IOException"/>, after which the connection is of no use.</remarks>
internal sealed class NbdHandshake(NbdOptionChannel channel, string exportName)
{
    // A source rounds the size up to a sector.
    private const ulong LargestDeviceBytes = long.MaxValue - 511;

    private (ulong Size, ushort Flags)? _export;
    private (uint Minimum, uint Preferred, uint Maximum) _blocks = (1, 4096, NbdProtocol.DefaultMaximumPayloadBytes);

    /// <summary>The best headers that both sides know: each step down is taken when the server refuses the one before.</summary>
    public static async Task<NbdHeaders> AgreeOnHeadersAsync(NbdOptionChannel channel)
    {
        if (await channel.AgreeAsync(NbdProtocol.OptionExtendedHeaders).ConfigureAwait(false))
            return NbdHeaders.Extended;
        return await channel.AgreeAsync(NbdProtocol.OptionStructuredReply).ConfigureAwait(false) ? NbdHeaders.Structured : NbdHeaders.Simple;
    }

    public async Task<NbdExport> RunAsync(IReadOnlyList<string> metaContexts)
    {
        // Step 1: headers; without structured replies there is no block status.
        var headers = await AgreeOnHeadersAsync(channel).ConfigureAwait(false);

        // Step 2: what we want to know of the blocks ("NBD_OPT_SET_META_CONTEXT"); a server may know none of it.
        var contexts = new Dictionary<string, uint>(StringComparer.Ordinal);
        if (headers != NbdHeaders.Simple && metaContexts.Count > 0)
            await SetMetaContextsAsync(metaContexts, contexts).ConfigureAwait(false);

        // Step 3: open the export ("NBD_OPT_GO").
        var data = new NbdOptionData().Text(exportName).Number16(1).Number16(NbdProtocol.InfoBlockSize);
        await channel.SendAsync(NbdProtocol.OptionGo, data.ToArray()).ConfigureAwait(false);
        if (await channel.ReadAllAsync(NbdProtocol.OptionGo, NbdProtocol.ReplyInfo, TakeInformation).ConfigureAwait(false) is { } error)
            throw new IOException($"The NBD server refused the export '{exportName}': {error.Describe()}.");
        if (_export is not var (size, flags) || size > LargestDeviceBytes)
            throw new IOException($"The NBD server did not give a usable size for the export '{exportName}'.");
        return new NbdExport(
            exportName,
            (long)size,
            (flags & NbdProtocol.IsReadOnly) != 0,
            (flags & NbdProtocol.CanUseManyConnections) != 0,
            _blocks.Minimum,
            _blocks.Preferred,
            _blocks.Maximum,
            headers,
            contexts);
    }

    private async Task SetMetaContextsAsync(IReadOnlyList<string> wanted, Dictionary<string, uint> contexts)
    {
        await channel.SendAsync(NbdProtocol.OptionSetMetaContext, NbdOptionData.MetaContexts(exportName, wanted)).ConfigureAwait(false);
        var error = await channel.ReadAllAsync(NbdProtocol.OptionSetMetaContext, NbdProtocol.ReplyMetaContext, TakeContext).ConfigureAwait(false);

        // A server that refuses all is as good as one that has none of them.
        if (error is not null)
            contexts.Clear();

        void TakeContext(NbdOptionReply reply)
        {
            var (name, number) = reply.ParseMetaContext();
            if (!wanted.Contains(name, StringComparer.Ordinal) || contexts.ContainsValue(number) || !contexts.TryAdd(name, number))
                throw new IOException($"The NBD server offered the meta context '{NbdText.Printable(name)}' as number {number}, unasked or twice.");
        }
    }

    private void TakeInformation(NbdOptionReply reply)
    {
        if (reply.Data.Length < 2)
            throw reply.Unexpected();
        switch (BinaryPrimitives.ReadUInt16BigEndian(reply.Data))
        {
            case NbdProtocol.InfoExport when reply.Data.Length == 12:
                _export = (BinaryPrimitives.ReadUInt64BigEndian(reply.Data.AsSpan(2)), BinaryPrimitives.ReadUInt16BigEndian(reply.Data.AsSpan(10)));
                break;
            case NbdProtocol.InfoBlockSize when reply.Data.Length == 14:
                _blocks = ParseBlockSizes(reply.Data);
                break;
            case NbdProtocol.InfoExport or NbdProtocol.InfoBlockSize:
                throw reply.Unexpected();
            default:
                break; // "the client MUST ignore any information it does not understand"
        }
    }

    private static (uint Minimum, uint Preferred, uint Maximum) ParseBlockSizes(ReadOnlySpan<byte> data)
    {
        var minimum = BinaryPrimitives.ReadUInt32BigEndian(data[2..]);
        var preferred = BinaryPrimitives.ReadUInt32BigEndian(data[6..]);
        var maximum = BinaryPrimitives.ReadUInt32BigEndian(data[10..]);
        if (minimum is 0 or > 65536 || !uint.IsPow2(minimum) || preferred < Math.Max(512, minimum) || !uint.IsPow2(preferred) || maximum < minimum)
            throw new IOException($"The NBD server gave impossible block sizes: minimum {minimum}, preferred {preferred}, maximum {maximum}.");

        // More than the default is of no use to us, and keeps lengths well inside an int.
        maximum = Math.Min(maximum, NbdProtocol.DefaultMaximumPayloadBytes) / minimum * minimum;
        return (minimum, preferred, maximum);
    }
}
