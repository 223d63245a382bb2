namespace Strongroom.Blocks.Nbd;

/// <summary>What a server said of an export while it was opened.</summary>
/// <param name="Name">The export's name; empty for the default one.</param>
/// <param name="LengthBytes">Size of the device.</param>
/// <param name="IsReadOnly">The server refuses writes.</param>
/// <param name="CanUseManyConnections">Several connections see the same data (NBD_FLAG_CAN_MULTI_CONN).</param>
/// <param name="MinimumBlockSizeBytes">Offsets and lengths of requests must be multiples of this; a power of two.</param>
/// <param name="PreferredBlockSizeBytes">Requests of at least this size are served well; a power of two.</param>
/// <param name="MaximumPayloadBytes">Longest read the server answers.</param>
/// <param name="Headers">What requests and replies look like.</param>
/// <param name="MetaContexts">The contexts that the server agreed to, name to number; what was asked for and is missing here the server does not have.</param>
public sealed record NbdExport(
    string Name,
    long LengthBytes,
    bool IsReadOnly,
    bool CanUseManyConnections,
    uint MinimumBlockSizeBytes,
    uint PreferredBlockSizeBytes,
    uint MaximumPayloadBytes,
    NbdHeaders Headers,
    IReadOnlyDictionary<string, uint> MetaContexts);

/// <summary>What requests and replies look like.</summary>
public enum NbdHeaders
{
    /// <summary>A reply is a whole one; block status cannot be asked for.</summary>
    Simple,

    /// <summary>Replies come in chunks.</summary>
    Structured,

    /// <summary>Replies come in chunks, and lengths have 64 bits.</summary>
    Extended,
}

/// <summary>A run of the device and what one meta context says of it.</summary>
/// <param name="LengthBytes">Not zero.</param>
/// <param name="Flags">Their meaning is the context's own: see <see cref="NbdMetaContexts"/>.</param>
public readonly record struct NbdExtent(long LengthBytes, ulong Flags);

/// <summary>Names of meta contexts and the meaning of their flags ("Metadata querying" and "The base: metadata namespace"; QEMU's docs/interop/nbd.txt).</summary>
public static class NbdMetaContexts
{
    /// <summary>Where data is.</summary>
    public const string BaseAllocation = "base:allocation";

    /// <summary>base:allocation: the run takes no space.</summary>
    public const ulong AllocationHole = 1;

    /// <summary>base:allocation: the run reads as zeros.</summary>
    public const ulong AllocationZero = 2;

    /// <summary>qemu:dirty-bitmap: the run was written since the bitmap was made.</summary>
    public const ulong DirtyBitmapDirty = 1;

    /// <summary>The context of a dirty bitmap exported by QEMU.</summary>
    public static string DirtyBitmap(string bitmap) => "qemu:dirty-bitmap:" + bitmap;
}
