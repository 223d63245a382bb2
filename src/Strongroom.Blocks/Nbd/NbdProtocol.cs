namespace Strongroom.Blocks.Nbd;

/// <summary>The numbers of the NBD protocol (NetworkBlockDevice/nbd, doc/proto.md, "Values"). All integers on the wire are big-endian.</summary>
internal static class NbdProtocol
{
    // "Newstyle negotiation"
    public const ulong ServerMagic = 0x4e42444d41474943;
    public const ulong OptionMagic = 0x49484156454F5054;
    public const ulong OldStyleMagic = 0x00420281861253;
    public const ulong OptionReplyMagic = 0x3e889045565a9;
    public const ushort ServerFixedNewstyle = 1;
    public const ushort ServerNoZeroes = 2;
    public const uint ClientFixedNewstyle = 1;
    public const uint ClientNoZeroes = 2;

    // "Option types"
    public const uint OptionExportName = 1;
    public const uint OptionAbort = 2;
    public const uint OptionList = 3;
    public const uint OptionStartTls = 5;
    public const uint OptionInfo = 6;
    public const uint OptionGo = 7;
    public const uint OptionStructuredReply = 8;
    public const uint OptionListMetaContext = 9;
    public const uint OptionSetMetaContext = 10;
    public const uint OptionExtendedHeaders = 11;

    // "Option reply types"; errors have the top bit.
    public const uint ReplyAcknowledge = 1;
    public const uint ReplyServer = 2;
    public const uint ReplyInfo = 3;
    public const uint ReplyMetaContext = 4;
    public const uint ReplyErrorBit = 0x8000_0000;
    public const uint ReplyErrorUnsupported = ReplyErrorBit + 1;
    public const uint ReplyErrorInvalid = ReplyErrorBit + 3;
    public const uint ReplyErrorUnknown = ReplyErrorBit + 6;

    public const ushort InfoExport = 0;
    public const ushort InfoName = 1;
    public const ushort InfoBlockSize = 3;

    // "Transmission phase"
    public const uint RequestMagic = 0x25609513;
    public const uint SimpleReplyMagic = 0x67446698;
    public const uint StructuredReplyMagic = 0x668e33ef;
    public const int RequestLengthBytes = 28;
    public const int SimpleReplyLengthBytes = 16;
    public const int StructuredReplyLengthBytes = 20;

    // "Transmission phase" with extended headers
    public const uint ExtendedRequestMagic = 0x21e41c71;
    public const uint ExtendedReplyMagic = 0x6e8a278c;
    public const int ExtendedRequestLengthBytes = 32;
    public const int ExtendedReplyLengthBytes = 32;

    // "Transmission flags"
    public const ushort HasFlags = 1 << 0;
    public const ushort IsReadOnly = 1 << 1;
    public const ushort SendsFlush = 1 << 2;
    public const ushort SendsForceUnitAccess = 1 << 3;
    public const ushort SendsTrim = 1 << 5;
    public const ushort SendsWriteZeroes = 1 << 6;
    public const ushort SendsDoNotFragment = 1 << 7;
    public const ushort CanUseManyConnections = 1 << 8;
    public const ushort SendsCache = 1 << 10;

    public const ushort CommandRead = 0;
    public const ushort CommandWrite = 1;
    public const ushort CommandDisconnect = 2;
    public const ushort CommandFlush = 3;
    public const ushort CommandTrim = 4;
    public const ushort CommandCache = 5;
    public const ushort CommandWriteZeroes = 6;
    public const ushort CommandBlockStatus = 7;

    // "Command flags"
    public const ushort FlagForceUnitAccess = 1 << 0;
    public const ushort FlagNoHole = 1 << 1;
    public const ushort FlagDoNotFragment = 1 << 2;
    public const ushort FlagOneExtent = 1 << 3;

    // "Error values"; numbers of Linux.
    public const uint NotPermitted = 1;
    public const uint InputOutputError = 5;
    public const uint InvalidArgument = 22;
    public const uint NoSpaceLeft = 28;

    // "Structured reply flags" and "Structured reply types"; error chunks have the top bit.
    public const ushort ChunkIsLast = 1;
    public const ushort ChunkNone = 0;
    public const ushort ChunkOffsetData = 1;
    public const ushort ChunkOffsetHole = 2;
    public const ushort ChunkBlockStatus = 5;
    public const ushort ChunkBlockStatusExtended = 6;
    public const ushort ChunkErrorBit = 0x8000;
    public const ushort ChunkError = ChunkErrorBit + 1;

    /// <summary>What a client may ask for at once where the server says nothing ("Block size constraints").</summary>
    public const uint DefaultMaximumPayloadBytes = 32 * 1024 * 1024;

    /// <summary>Server texts and names longer than this are taken for nonsense ("String values": at most 4096 bytes).</summary>
    public const int LongestOptionReplyBytes = 64 * 1024;

    /// <summary>The text of an error number ("Error values"; numbers of Linux).</summary>
    public static string Describe(uint error) => error switch
    {
        1 => "operation not permitted",
        5 => "input/output error",
        12 => "the server is out of memory",
        22 => "invalid argument",
        28 => "no space left",
        75 => "the answer would be too large",
        95 => "operation not supported",
        108 => "the server is shutting down",
        _ => $"error {error}",
    };
}
