using System.Buffers.Binary;
using System.Text;

namespace Strongroom.Blocks.Nbd;

/// <summary>Opens an export: from the first option that changes something to the transmission phase (doc/proto.md, "Negotiation").</summary>
/// <remarks>Every violation is an <see cref="IOException"/>, after which the connection is of no use.</remarks>
internal sealed class NbdHandshake(NbdOptionChannel channel)
{
    public async Task<NbdExport> RunAsync(string exportName, IReadOnlyList<string> metaContexts)
    {
        // Step 1: structured replies, without which there is no block status ("NBD_OPT_STRUCTURED_REPLY").
        var isStructured = await channel.AgreeAsync(NbdProtocol.OptionStructuredReply).ConfigureAwait(false);

        // Step 2: what we want to know of the blocks ("NBD_OPT_SET_META_CONTEXT"); a server may know none of it.
        var contexts = new Dictionary<string, uint>(StringComparer.Ordinal);
        if (isStructured && metaContexts.Count > 0)
            await SetMetaContextsAsync(exportName, metaContexts, contexts).ConfigureAwait(false);

        // Step 3: open the export ("NBD_OPT_GO").
        return await GoAsync(exportName, isStructured, contexts).ConfigureAwait(false);
    }

    private async Task SetMetaContextsAsync(string exportName, IReadOnlyList<string> wanted, Dictionary<string, uint> contexts)
    {
        var data = new NbdOptionData().Text(exportName).Number32((uint)wanted.Count);
        foreach (var name in wanted)
            data.Text(name);
        await channel.SendAsync(NbdProtocol.OptionSetMetaContext, data.ToArray()).ConfigureAwait(false);
        while (true)
        {
            var reply = await channel.ReadAsync(NbdProtocol.OptionSetMetaContext).ConfigureAwait(false);
            if (reply.Type == NbdProtocol.ReplyAcknowledge)
                return;
            if (reply.IsError)
            {
                // A server that refuses all is as good as one that has none of them.
                contexts.Clear();
                return;
            }

            if (reply.Type != NbdProtocol.ReplyMetaContext || reply.Data.Length < 4)
                throw reply.Unexpected();
            var name = Encoding.UTF8.GetString(reply.Data.AsSpan(4));
            if (!wanted.Contains(name, StringComparer.Ordinal) || !contexts.TryAdd(name, BinaryPrimitives.ReadUInt32BigEndian(reply.Data)))
                throw new IOException($"The NBD server offered the meta context '{name}', which was not asked for.");
        }
    }

    private async Task<NbdExport> GoAsync(string exportName, bool structuredReplies, Dictionary<string, uint> contexts)
    {
        var data = new NbdOptionData().Text(exportName).Number16(1).Number16(NbdProtocol.InfoBlockSize);
        await channel.SendAsync(NbdProtocol.OptionGo, data.ToArray()).ConfigureAwait(false);

        (ulong Size, ushort Flags)? export = null;
        (uint Minimum, uint Preferred, uint Maximum) blocks = (1, 4096, NbdProtocol.DefaultMaximumPayloadBytes);
        while (true)
        {
            var reply = await channel.ReadAsync(NbdProtocol.OptionGo).ConfigureAwait(false);
            if (reply.IsError)
                throw new IOException($"The NBD server refused the export '{exportName}': {reply.Describe()}.");
            if (reply.Type == NbdProtocol.ReplyAcknowledge)
                break;
            if (reply.Type != NbdProtocol.ReplyInfo || reply.Data.Length < 2)
                throw reply.Unexpected();
            switch (BinaryPrimitives.ReadUInt16BigEndian(reply.Data))
            {
                case NbdProtocol.InfoExport when reply.Data.Length == 12:
                    export = (BinaryPrimitives.ReadUInt64BigEndian(reply.Data.AsSpan(2)), BinaryPrimitives.ReadUInt16BigEndian(reply.Data.AsSpan(10)));
                    break;
                case NbdProtocol.InfoBlockSize when reply.Data.Length == 14:
                    blocks = ParseBlockSizes(reply.Data);
                    break;
                case NbdProtocol.InfoExport or NbdProtocol.InfoBlockSize:
                    throw reply.Unexpected();
                default:
                    break; // "the client MUST ignore any information it does not understand"
            }
        }

        if (export is not var (size, flags) || size > long.MaxValue)
            throw new IOException($"The NBD server did not give a usable size for the export '{exportName}'.");
        return new NbdExport(
            exportName,
            (long)size,
            (flags & NbdProtocol.IsReadOnly) != 0,
            (flags & NbdProtocol.CanUseManyConnections) != 0,
            blocks.Minimum,
            blocks.Preferred,
            blocks.Maximum,
            structuredReplies,
            contexts);
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
