using System.Buffers.Binary;
using System.Text;

namespace Strongroom.Blocks.Nbd;

/// <summary>The data of an option that is being put together.</summary>
internal sealed class NbdOptionData
{
    private readonly List<byte> _bytes = [];

    /// <summary>The data of NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT.</summary>
    public static byte[] MetaContexts(string exportName, IReadOnlyList<string> queries)
    {
        var data = new NbdOptionData().Text(exportName).Number32((uint)queries.Count);
        foreach (var query in queries)
            data.Text(query);
        return data.ToArray();
    }

    /// <summary>A text with its length before it.</summary>
    public NbdOptionData Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Number32((uint)bytes.Length);
        _bytes.AddRange(bytes);
        return this;
    }

    public NbdOptionData Number32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        _bytes.AddRange(bytes);
        return this;
    }

    public NbdOptionData Number16(ushort value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        _bytes.AddRange(bytes);
        return this;
    }

    public byte[] ToArray() => [.. _bytes];
}

/// <summary>One reply to an option.</summary>
internal sealed record NbdOptionReply(uint Option, uint Type, byte[] Data)
{
    // "String values": at most 4096 bytes.
    public const int LongestNameBytes = 4096;

    public bool IsError => (Type & NbdProtocol.ReplyErrorBit) != 0;

    public IOException Unexpected() => new($"The NBD server answered option {Option} with an unexpected reply of type {Type} and {Data.Length} bytes.");

    /// <summary>NBD_REP_META_CONTEXT: number and name.</summary>
    public (string Name, uint Number) ParseMetaContext() => Data.Length is >= 4 and <= 4 + LongestNameBytes
        ? (Encoding.UTF8.GetString(Data.AsSpan(4)), BinaryPrimitives.ReadUInt32BigEndian(Data))
        : throw Unexpected();

    /// <summary>The error in words: the protocol's meaning of the number, and what the server added.</summary>
    public string Describe()
    {
        var meaning = (Type & ~NbdProtocol.ReplyErrorBit) switch
        {
            1 => "the option is not supported",
            2 => "forbidden by policy",
            3 => "invalid request",
            4 => "not supported on the server's platform",
            5 => "TLS is required",
            6 => "there is no such export",
            7 => "the server is shutting down",
            8 => "the server demands block sizes",
            9 => "the request is too large",
            10 => "the server demands extended headers",
            var number => $"error {number}",
        };
        return Data.Length == 0 ? meaning : $"{meaning} ({NbdText.Printable(Data)})";
    }
}
