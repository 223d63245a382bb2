using Strongroom.Store.Fuzz.Targets;

namespace Strongroom.Store.Fuzz;

internal static class AllTargets
{
    /// <summary>Every parser of stored bytes, and those of the iSCSI target and the NBD client. Whoever adds a format adds its target.</summary>
    public static IReadOnlyList<FuzzTarget> List { get; } =
    [
        new VaultBirthTarget(),
        new KeyGenerationTarget(),
        new KeyRingTarget(),
        new EscrowWrapTarget(),
        new MasterKeyTarget(),
        new PackHeaderTarget(),
        new PackTrailerTarget(),
        new PackBytesTarget(),
        new PackDirectoryTarget(),
        new FrameTarget(),
        new ImageNodeTarget(),
        new StreamNodeTarget(),
        new TreePageTarget(),
        new ReferenceTarget(),
        new LogEntryTarget(),
        new LogPayloadTarget(),
        new SegmentHeaderTarget(),
        new IndexSegmentTarget(),
        new RelocationTarget(),
        new JournalTarget(),
        new LedgerTarget(),
        new IscsiPduTarget(),
        new IscsiLoginTarget(),
        new IscsiDataTarget(),
        new ScsiTarget(),
        new NbdNegotiationTarget(),
        new NbdReplyTarget(),
    ];
}
