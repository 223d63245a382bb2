using System.Buffers;
using Strongroom.Blocks.Iscsi.Pdus;

namespace Strongroom.Blocks.Iscsi.Login;

/// <summary>Puts a text together that came in several PDUs (the C bit of RFC 7143, 11.12.3).</summary>
internal sealed class TextAssembler
{
    private readonly ArrayBufferWriter<byte> _text = new();

    /// <summary>The pairs when the text is whole; null while more comes.</summary>
    /// <exception cref="IscsiProtocolException">The text is malformed or too long.</exception>
    public List<KeyValuePair<string, string>>? Add(Pdu pdu)
    {
        if (pdu.Continues && pdu.IsFinal)
            throw new IscsiProtocolException("A text is final and goes on.", RejectReason.InvalidField);
        if (_text.WrittenCount + pdu.Data.Length > TextKeys.LongestTextBytes)
            throw new IscsiProtocolException($"A text is longer than {TextKeys.LongestTextBytes} bytes.");
        _text.Write(pdu.Data.Span);
        if (pdu.Continues)
            return null;
        var pairs = TextKeys.Parse(_text.WrittenSpan);
        _text.ResetWrittenCount();
        return pairs;
    }
}
