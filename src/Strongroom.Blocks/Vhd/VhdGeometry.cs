namespace Strongroom.Blocks.Vhd;

/// <summary>Cylinders, heads and sectors as BIOS-time software wants them. Readers of today use the footer's size instead.</summary>
public readonly record struct VhdGeometry(ushort Cylinders, byte Heads, byte SectorsPerTrack)
{
    /// <summary>The geometry that the VHD specification's appendix "CHS Calculation" gives for a disk of this size.</summary>
    public static VhdGeometry For(long lengthBytes)
    {
        const long largestInSectors = 65535L * 16 * 255;
        var sectors = Math.Min(lengthBytes / VhdFooter.LengthBytes, largestInSectors);
        if (sectors >= 65535L * 16 * 63)
            return new VhdGeometry((ushort)(sectors / 255 / 16), 16, 255);

        long sectorsPerTrack = 17;
        var tracks = sectors / sectorsPerTrack;
        var heads = Math.Max((tracks + 1023) / 1024, 4);
        if (tracks >= heads * 1024 || heads > 16)
        {
            sectorsPerTrack = 31;
            heads = 16;
            tracks = sectors / sectorsPerTrack;
        }

        if (tracks >= heads * 1024)
        {
            sectorsPerTrack = 63;
            heads = 16;
            tracks = sectors / sectorsPerTrack;
        }

        return new VhdGeometry((ushort)(tracks / heads), (byte)heads, (byte)sectorsPerTrack);
    }
}
