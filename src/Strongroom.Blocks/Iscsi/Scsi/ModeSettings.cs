namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>What an initiator may set: two bits of the control mode page (SPC-4, 7.5.8). Safe from many threads.</summary>
internal sealed class ModeSettings
{
    private volatile bool _hasDescriptorSense;
    private volatile bool _isWriteProtected;

    /// <summary>D_SENSE: sense data come as descriptors.</summary>
    public bool HasDescriptorSense => _hasDescriptorSense;

    /// <summary>SWP: the unit refuses writes.</summary>
    public bool IsWriteProtected => _isWriteProtected;

    public void Set(bool hasDescriptorSense, bool isWriteProtected)
    {
        _hasDescriptorSense = hasDescriptorSense;
        _isWriteProtected = isWriteProtected;
    }

    public void Reset() => Set(hasDescriptorSense: false, isWriteProtected: false);
}
