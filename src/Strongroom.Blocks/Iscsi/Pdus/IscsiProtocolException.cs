namespace Strongroom.Blocks.Iscsi.Pdus;

/// <summary>The initiator broke the protocol. With error recovery level 0 this ends its session, and nothing else.</summary>
internal sealed class IscsiProtocolException(string message, RejectReason reason = RejectReason.ProtocolError) : IOException(message)
{
    public RejectReason Reason { get; } = reason;
}
