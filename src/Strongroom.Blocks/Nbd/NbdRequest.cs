namespace Strongroom.Blocks.Nbd;

/// <summary>A request on its way. Its fields belong to the receiver from the moment it is registered until <see cref="Completion"/> ends.</summary>
internal sealed class NbdRequest(ulong cookie, ushort command, long offsetBytes, long lengthBytes, Memory<byte> buffer)
{
    public ulong Cookie { get; } = cookie;

    public ushort Command { get; } = command;

    public long OffsetBytes { get; } = offsetBytes;

    public long LengthBytes { get; } = lengthBytes;

    /// <summary>Where a read's data goes; empty for other commands.</summary>
    public Memory<byte> Buffer { get; } = buffer;

    public ByteCoverage Coverage { get; } = new();

    /// <summary>Block status by context number.</summary>
    public Dictionary<uint, List<NbdExtent>> Status { get; } = [];

    /// <summary>The first error the server reported for this request; the request ends with it when its last chunk is there.</summary>
    public IOException? Error { get; set; }

    /// <summary>Continuations run elsewhere: the receiver must go on receiving.</summary>
    public TaskCompletionSource Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
