namespace Strongroom.Blocks.Qcow2;

/// <summary>
/// Where everything lies in an image of <see cref="Qcow2Writer"/>, in clusters of 64 KiB: header, refcount table, refcount blocks, L1 table, L2 tables,
/// and then the disk's clusters in their own order, so that a disk's offset is a file's offset but for a constant. (QEMU, docs/interop/qcow2.)
/// </summary>
internal sealed record Qcow2Layout
{
    public const int ClusterBits = 16;
    public const long ClusterBytes = 1L << ClusterBits;

    /// <summary>Entries of 8 bytes in a cluster: of the refcount table, the L1 table and an L2 table.</summary>
    public const long EntriesPerCluster = ClusterBytes / 8;

    /// <summary>Reference counts of 16 bits in a refcount block.</summary>
    public const long CountsPerBlock = ClusterBytes / 2;

    public Qcow2Layout(long diskLengthBytes)
    {
        DataClusters = Divide(diskLengthBytes, ClusterBytes);
        L2Tables = Divide(DataClusters, EntriesPerCluster);
        L1Clusters = Divide(L2Tables, EntriesPerCluster);
        // The blocks count themselves too: grow until they suffice.
        for (long blocks = 1; ; blocks = Divide(Total, CountsPerBlock))
        {
            (RefcountBlocks, RefcountTableClusters) = (blocks, Divide(blocks, EntriesPerCluster));
            if (blocks * CountsPerBlock >= Total) break;
        }
    }

    public long RefcountTableClusters { get; }

    public long RefcountBlocks { get; }

    public long L1Clusters { get; }

    public long L2Tables { get; }

    public long DataClusters { get; }

    public long RefcountTableOffset => ClusterBytes;

    public long RefcountBlocksOffset => RefcountTableOffset + (RefcountTableClusters * ClusterBytes);

    public long L1Offset => RefcountBlocksOffset + (RefcountBlocks * ClusterBytes);

    public long L2Offset => L1Offset + (L1Clusters * ClusterBytes);

    public long DataOffset => L2Offset + (L2Tables * ClusterBytes);

    /// <summary>Clusters before the disk's own.</summary>
    public long MetadataClusters => DataOffset / ClusterBytes;

    private long Total => MetadataClusters + DataClusters;

    private static long Divide(long value, long by) => (value + by - 1) / by;
}
