using System.Buffers.Binary;

namespace Strongroom.Blocks.Nbd;

/// <summary>Options and their replies, from the server's greeting on (doc/proto.md, "Negotiation").</summary>
/// <remarks>Every violation is an <see cref="IOException"/>, after which the connection is of no use. Owns nothing: the wire is the caller's.</remarks>
internal sealed class NbdOptionChannel(BufferedWire wire, CancellationToken cancellationToken)
{
    // A server that goes on for ever would fill the memory.
    private const int MostReplies = 1024;

    public BufferedWire Wire => wire;

    public async Task GreetAsync()
    {
        var greeting = await wire.ReadSmallAsync(16, cancellationToken).ConfigureAwait(false);
        if (BinaryPrimitives.ReadUInt64BigEndian(greeting.Span) != NbdProtocol.ServerMagic)
            throw new IOException("The peer is not an NBD server.");
        var style = BinaryPrimitives.ReadUInt64BigEndian(greeting.Span[8..]);
        if (style == NbdProtocol.OldStyleMagic)
            throw new IOException("The NBD server speaks only the oldstyle protocol, which is not supported.");
        if (style != NbdProtocol.OptionMagic)
            throw new IOException("The peer is not an NBD server.");
        var flagBytes = await wire.ReadSmallAsync(2, cancellationToken).ConfigureAwait(false);
        var flags = BinaryPrimitives.ReadUInt16BigEndian(flagBytes.Span);
        if ((flags & NbdProtocol.ServerFixedNewstyle) == 0)
            throw new IOException("The NBD server does not speak fixed newstyle negotiation.");

        // A client may set only the flags that the server has set.
        var answer = new byte[4];
        var noZeroes = (flags & NbdProtocol.ServerNoZeroes) != 0 ? NbdProtocol.ClientNoZeroes : 0;
        BinaryPrimitives.WriteUInt32BigEndian(answer, NbdProtocol.ClientFixedNewstyle | noZeroes);
        await wire.WriteAsync(answer, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>An option that is answered by one reply without data: true when the server agrees.</summary>
    public async Task<bool> AgreeAsync(uint option)
    {
        await SendAsync(option, []).ConfigureAwait(false);
        var reply = await ReadAsync(option).ConfigureAwait(false);
        return reply.Type == NbdProtocol.ReplyAcknowledge || (reply.IsError ? false : throw reply.Unexpected());
    }

    /// <summary>NBD_OPT_STARTTLS. Without the server's consent there is no connection: nothing is ever said in the clear instead.</summary>
    public async Task StartTlsAsync()
    {
        await SendAsync(NbdProtocol.OptionStartTls, []).ConfigureAwait(false);
        var reply = await ReadAsync(NbdProtocol.OptionStartTls).ConfigureAwait(false);
        if (reply.IsError)
            throw new IOException($"The NBD server refused TLS, which is required: {reply.Describe()}.");
        if (reply.Type != NbdProtocol.ReplyAcknowledge)
            throw reply.Unexpected();

        // Somebody on the way may have put words into the server's mouth, to be taken for ones that came through TLS.
        if (wire.HasUnread)
            throw new IOException("The NBD server went on in the clear after it had agreed to TLS.");
    }

    public async Task SendAsync(uint option, byte[] data)
    {
        var message = new byte[16 + data.Length];
        BinaryPrimitives.WriteUInt64BigEndian(message, NbdProtocol.OptionMagic);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(8), option);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(12), (uint)data.Length);
        data.CopyTo(message, 16);
        await wire.WriteAsync(message, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads replies of one type until the server is done with the option.</summary>
    /// <returns>The error that it ended with; null when the server acknowledged.</returns>
    public async Task<NbdOptionReply?> ReadAllAsync(uint option, uint type, Action<NbdOptionReply> take)
    {
        for (var count = 0; count <= MostReplies; count++)
        {
            var reply = await ReadAsync(option).ConfigureAwait(false);
            if (reply.IsError)
                return reply;
            if (reply.Type == NbdProtocol.ReplyAcknowledge)
                return null;
            if (reply.Type != type)
                throw reply.Unexpected();
            take(reply);
        }

        throw new IOException($"The NBD server answered option {option} with more than {MostReplies} replies.");
    }

    private async Task<NbdOptionReply> ReadAsync(uint option)
    {
        var header = await wire.ReadSmallAsync(20, cancellationToken).ConfigureAwait(false);
        if (BinaryPrimitives.ReadUInt64BigEndian(header.Span) != NbdProtocol.OptionReplyMagic)
            throw new IOException("The NBD server answered an option with the wrong magic number.");
        var answered = BinaryPrimitives.ReadUInt32BigEndian(header.Span[8..]);
        if (answered != option)
            throw new IOException($"The NBD server answered option {answered} when {option} was asked.");
        var type = BinaryPrimitives.ReadUInt32BigEndian(header.Span[12..]);
        var length = BinaryPrimitives.ReadUInt32BigEndian(header.Span[16..]);
        if (length > NbdProtocol.LongestOptionReplyBytes)
            throw new IOException($"The NBD server announced an option reply of {length} bytes.");
        var data = new byte[length];
        await wire.ReadIntoAsync(data, cancellationToken).ConfigureAwait(false);
        return new NbdOptionReply(option, type, data);
    }
}
