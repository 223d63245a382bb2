namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>The mode pages (SPC-4, 7.5; SBC-3, 6.5). A page is its bytes from the page code on.</summary>
internal static class ModePages
{
    public const byte Control = 0x0a;
    public const byte AllPages = 0x3f;
    private const byte DescriptorSense = 0x04;
    private const byte SoftwareWriteProtect = 0x08;

    /// <summary>Every page, in order of the codes.</summary>
    public static IReadOnlyList<byte> Codes { get; } = [0x01, 0x08, Control, 0x1c];

    public static byte[] Page(byte code, ModeSettings settings) => code switch
    {
        0x01 => [0x01, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        0x08 => [0x08, 18, 0x04, 0, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0], // what is written is cached
        Control => [Control, 10, settings.HasDescriptorSense ? DescriptorSense : (byte)0, 0x10, settings.IsWriteProtected ? SoftwareWriteProtect : (byte)0, 0, 0, 0, 0xff, 0xff, 0, 0],
        _ => [0x1c, 10, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0], // exceptions are not reported
    };

    /// <summary>Ones where an initiator may change the page.</summary>
    public static byte[] Changeable(byte code)
    {
        var page = Page(code, new());
        page.AsSpan(2).Clear();
        if (code == Control)
            (page[2], page[4]) = (DescriptorSense, SoftwareWriteProtect);
        return page;
    }

    /// <summary>Takes a page over.</summary>
    /// <exception cref="ScsiException">It is unknown, or differs in what cannot be changed.</exception>
    public static void Apply(ReadOnlySpan<byte> page, ModeSettings settings)
    {
        var code = page[0];
        if (!Codes.Contains(code))
            throw new ScsiException(Sense.InvalidFieldInParameters);
        var current = Page(code, settings);
        var changeable = Changeable(code);
        if (page.Length != current.Length)
            throw new ScsiException(Sense.InvalidFieldInParameters);
        for (var at = 2; at < page.Length; at++)
        {
            if (((page[at] ^ current[at]) & ~changeable[at]) != 0)
                throw new ScsiException(Sense.InvalidFieldInParameters);
        }

        if (code == Control)
            settings.Set((page[2] & DescriptorSense) != 0, (page[4] & SoftwareWriteProtect) != 0);
    }
}
