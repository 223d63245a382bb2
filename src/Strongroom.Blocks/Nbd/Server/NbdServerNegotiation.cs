using System.Buffers.Binary;
using System.Text;

namespace Strongroom.Blocks.Nbd.Server;

/// <summary>What a client and the server agreed on.</summary>
/// <param name="HasStructuredReplies">Replies come in chunks.</param>
/// <param name="HasAllocation">base:allocation was agreed on, as context <see cref="NbdServerNegotiation.AllocationContext"/>.</param>
internal sealed record NbdAgreement(bool HasStructuredReplies, bool HasAllocation);

/// <summary>The server's side of fixed newstyle negotiation (NetworkBlockDevice/nbd, doc/proto.md, "Negotiation").</summary>
/// <remarks>What a client sends that cannot be answered within the protocol is an <see cref="IOException"/>, after which the connection is closed.</remarks>
internal sealed class NbdServerNegotiation(BufferedWire wire, IBlockDevice device, string exportName, CancellationToken cancellationToken)
{
    public const uint AllocationContext = 1;

    // Generous for every client there is; a client that goes on for ever is none.
    private const int MostOptions = 64;
    private const uint LongestOptionBytes = 64 * 1024;
    private const uint PreferredBlockSizeBytes = 4096;

    private bool _hasStructuredReplies;
    private bool _hasAllocation;
    private bool _hasNoZeroes;

    /// <summary>The flags of the transmission phase for an export.</summary>
    private ushort Flags
    {
        get
        {
            var flags = NbdProtocol.HasFlags | NbdProtocol.SendsFlush | NbdProtocol.CanUseManyConnections | NbdProtocol.SendsCache;
            if (_hasStructuredReplies)
                flags |= NbdProtocol.SendsDoNotFragment;
            flags |= device.IsReadOnly ? NbdProtocol.IsReadOnly : NbdProtocol.SendsForceUnitAccess | NbdProtocol.SendsWriteZeroes | NbdProtocol.SendsTrim;
            return (ushort)flags;
        }
    }

    /// <summary>What was agreed on; null when the client took its leave.</summary>
    /// <exception cref="IOException">The client broke the protocol or went away.</exception>
    public async Task<NbdAgreement?> RunAsync()
    {
        await GreetAsync().ConfigureAwait(false);
        for (var count = 0; count < MostOptions; count++)
        {
            var header = await wire.ReadSmallAsync(16, cancellationToken).ConfigureAwait(false);
            if (BinaryPrimitives.ReadUInt64BigEndian(header.Span) != NbdProtocol.OptionMagic)
                throw new IOException("The NBD client sent an option with the wrong magic number.");
            var option = BinaryPrimitives.ReadUInt32BigEndian(header.Span[8..]);
            var length = BinaryPrimitives.ReadUInt32BigEndian(header.Span[12..]);
            if (length > LongestOptionBytes)
                throw new IOException($"The NBD client sent option {option} with {length} bytes.");
            var data = new byte[length];
            await wire.ReadIntoAsync(data, cancellationToken).ConfigureAwait(false);
            switch (option)
            {
                case NbdProtocol.OptionExportName:
                    await OpenByNameAsync(data).ConfigureAwait(false);
                    return Agreement();
                case NbdProtocol.OptionAbort:
                    await ReplyAsync(option, NbdProtocol.ReplyAcknowledge, []).ConfigureAwait(false);
                    return null;
                case NbdProtocol.OptionGo when await DescribeExportAsync(option, data).ConfigureAwait(false):
                    return Agreement();
                case NbdProtocol.OptionGo:
                    break;
                default:
                    await AnswerAsync(option, data).ConfigureAwait(false);
                    break;
            }
        }

        throw new IOException($"The NBD client sent more than {MostOptions} options.");
    }

    private NbdAgreement Agreement() => new(_hasStructuredReplies, _hasAllocation);

    private async Task GreetAsync()
    {
        var greeting = new byte[18];
        BinaryPrimitives.WriteUInt64BigEndian(greeting, NbdProtocol.ServerMagic);
        BinaryPrimitives.WriteUInt64BigEndian(greeting.AsSpan(8), NbdProtocol.OptionMagic);
        BinaryPrimitives.WriteUInt16BigEndian(greeting.AsSpan(16), NbdProtocol.ServerFixedNewstyle | NbdProtocol.ServerNoZeroes);
        await wire.WriteAsync(greeting, cancellationToken).ConfigureAwait(false);

        var answer = await wire.ReadSmallAsync(4, cancellationToken).ConfigureAwait(false);
        var flags = BinaryPrimitives.ReadUInt32BigEndian(answer.Span);
        if ((flags & ~(NbdProtocol.ClientFixedNewstyle | NbdProtocol.ClientNoZeroes)) != 0)
            throw new IOException($"The NBD client set flags that the server does not know: 0x{flags:x}.");
        _hasNoZeroes = (flags & NbdProtocol.ClientNoZeroes) != 0;
    }

    private async Task AnswerAsync(uint option, byte[] data)
    {
        switch (option)
        {
            case NbdProtocol.OptionList when data.Length == 0:
                await ReplyAsync(option, NbdProtocol.ReplyServer, new NbdOptionData().Text(exportName).ToArray()).ConfigureAwait(false);
                await ReplyAsync(option, NbdProtocol.ReplyAcknowledge, []).ConfigureAwait(false);
                break;
            case NbdProtocol.OptionStructuredReply when data.Length == 0:
                _hasStructuredReplies = true;
                await ReplyAsync(option, NbdProtocol.ReplyAcknowledge, []).ConfigureAwait(false);
                break;
            case NbdProtocol.OptionInfo:
                await DescribeExportAsync(option, data).ConfigureAwait(false);
                break;
            case NbdProtocol.OptionListMetaContext or NbdProtocol.OptionSetMetaContext:
                await NegotiateContextsAsync(option, data).ConfigureAwait(false);
                break;
            case NbdProtocol.OptionList or NbdProtocol.OptionStructuredReply:
                await RefuseAsync(option, NbdProtocol.ReplyErrorInvalid, "the option takes no data").ConfigureAwait(false);
                break;
            default:
                await RefuseAsync(option, NbdProtocol.ReplyErrorUnsupported, "").ConfigureAwait(false);
                break;
        }
    }

    /// <summary>NBD_OPT_EXPORT_NAME: there is no way to refuse but to close the connection.</summary>
    private async Task OpenByNameAsync(byte[] name)
    {
        if (!IsExport(name))
            throw new IOException("The NBD client asked for an export that is not there.");
        var answer = new byte[_hasNoZeroes ? 10 : 134];
        BinaryPrimitives.WriteUInt64BigEndian(answer, (ulong)device.LengthBytes);
        BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(8), Flags);
        await wire.WriteAsync(answer, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>NBD_OPT_INFO and NBD_OPT_GO; false when it was refused.</summary>
    private async Task<bool> DescribeExportAsync(uint option, byte[] data)
    {
        var reader = new NbdOptionReader(data);
        if (!reader.TryText(out var name) || !reader.TryNumber16(out var count) || reader.LeftBytes != 2 * count)
        {
            await RefuseAsync(option, NbdProtocol.ReplyErrorInvalid, "the option's data has the wrong length").ConfigureAwait(false);
            return false;
        }

        if (!IsExport(name))
        {
            await RefuseAsync(option, NbdProtocol.ReplyErrorUnknown, "").ConfigureAwait(false);
            return false;
        }

        var wantsName = false;
        while (reader.TryNumber16(out var information))
            wantsName |= information == NbdProtocol.InfoName;

        var export = new byte[12];
        BinaryPrimitives.WriteUInt16BigEndian(export, NbdProtocol.InfoExport);
        BinaryPrimitives.WriteUInt64BigEndian(export.AsSpan(2), (ulong)device.LengthBytes);
        BinaryPrimitives.WriteUInt16BigEndian(export.AsSpan(10), Flags);
        await ReplyAsync(option, NbdProtocol.ReplyInfo, export).ConfigureAwait(false);
        if (wantsName)
            await ReplyAsync(option, NbdProtocol.ReplyInfo, [0, (byte)NbdProtocol.InfoName, .. Encoding.UTF8.GetBytes(exportName)]).ConfigureAwait(false);
        var blocks = new NbdOptionData().Number16(NbdProtocol.InfoBlockSize).Number32(1).Number32(PreferredBlockSizeBytes).Number32(NbdProtocol.DefaultMaximumPayloadBytes);
        await ReplyAsync(option, NbdProtocol.ReplyInfo, blocks.ToArray()).ConfigureAwait(false);
        await ReplyAsync(option, NbdProtocol.ReplyAcknowledge, []).ConfigureAwait(false);
        return true;
    }

    /// <summary>NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT: base:allocation is all there is.</summary>
    private async Task NegotiateContextsAsync(uint option, byte[] data)
    {
        var isSet = option == NbdProtocol.OptionSetMetaContext;
        if (isSet)
            _hasAllocation = false; // "MUST reset": whatever this request ends with
        var reader = new NbdOptionReader(data);
        if (!_hasStructuredReplies || !reader.TryText(out var name) || !reader.TryNumber32(out var count))
        {
            await RefuseAsync(option, NbdProtocol.ReplyErrorInvalid, _hasStructuredReplies ? "the option's data is too short" : "structured replies come first").ConfigureAwait(false);
            return;
        }

        var isWanted = !isSet && count == 0;
        for (var index = 0u; index < count; index++)
        {
            if (!reader.TryText(out var query))
            {
                await RefuseAsync(option, NbdProtocol.ReplyErrorInvalid, "the option's data is too short").ConfigureAwait(false);
                return;
            }

            var text = Encoding.UTF8.GetString(query.Span);
            isWanted |= text == NbdMetaContexts.BaseAllocation || (!isSet && text == "base:");
        }

        if (reader.LeftBytes != 0)
        {
            await RefuseAsync(option, NbdProtocol.ReplyErrorInvalid, "the option's data is too long").ConfigureAwait(false);
            return;
        }

        if (!IsExport(name))
        {
            await RefuseAsync(option, NbdProtocol.ReplyErrorUnknown, "").ConfigureAwait(false);
            return;
        }

        if (isWanted)
        {
            byte[] context = [0, 0, 0, (byte)(isSet ? AllocationContext : 0), .. Encoding.UTF8.GetBytes(NbdMetaContexts.BaseAllocation)];
            await ReplyAsync(option, NbdProtocol.ReplyMetaContext, context).ConfigureAwait(false);
            _hasAllocation |= isSet;
        }

        await ReplyAsync(option, NbdProtocol.ReplyAcknowledge, []).ConfigureAwait(false);
    }

    /// <summary>The empty name is the default export; there is only one.</summary>
    private bool IsExport(ReadOnlyMemory<byte> name) => name.IsEmpty || Encoding.UTF8.GetString(name.Span) == exportName;

    private Task RefuseAsync(uint option, uint error, string why) => ReplyAsync(option, error, Encoding.UTF8.GetBytes(why));

    private async Task ReplyAsync(uint option, uint type, byte[] data)
    {
        var message = new byte[20 + data.Length];
        BinaryPrimitives.WriteUInt64BigEndian(message, NbdProtocol.OptionReplyMagic);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(8), option);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(12), type);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(16), (uint)data.Length);
        data.CopyTo(message, 20);
        await wire.WriteAsync(message, cancellationToken).ConfigureAwait(false);
    }
}
