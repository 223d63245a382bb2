namespace Strongroom.Blocks.Iscsi.Login;

/// <summary>What a session agreed on; the defaults of RFC 7143, 13, until then.</summary>
internal sealed class SessionParameters
{
    /// <summary>Our MaxRecvDataSegmentLength.</summary>
    public const int ReceiveDataBytes = 256 * 1024;

    public bool HasHeaderDigest { get; set; }

    public bool HasDataDigest { get; set; }

    /// <summary>The initiator's MaxRecvDataSegmentLength.</summary>
    public int SendDataBytes { get; set; } = 8192;

    public int MaxBurstBytes { get; set; } = 256 * 1024;

    public int FirstBurstBytes { get; set; } = 64 * 1024;

    /// <summary>No data but immediate comes before an R2T.</summary>
    public bool HasInitialR2T { get; set; } = true;

    public bool HasImmediateData { get; set; } = true;
}
