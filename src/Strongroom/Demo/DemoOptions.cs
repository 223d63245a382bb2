namespace Strongroom.Demo;

/// <summary>What the user asked of <c>strongroom demo</c>.</summary>
internal sealed record DemoOptions
{
    /// <summary>The smallest first sample disk: below it a file system leaves too little room for files.</summary>
    public const int SizeMiBMin = 64;

    /// <summary>The largest first sample disk: 1 TiB.</summary>
    public const int SizeMiBMax = 1024 * 1024;

    /// <summary>Where the server's data and the sample machines go; null means a temporary folder that is removed at the end.</summary>
    public string? DataFolder { get; init; }

    /// <summary>The user's own raw, VHD or qcow2 disk, used instead of the first sample disk; null means a generated one. Never written to.</summary>
    public string? DiskFile { get; init; }

    /// <summary>The virtual size of the first sample disk in MiB; the other two are a quarter of it each.</summary>
    public int SizeMiB { get; init; } = 1024;

    /// <summary>Keep the temporary folder. A folder given as <see cref="DataFolder"/> is always kept.</summary>
    public bool KeepFolder { get; init; }

    /// <summary>No colours and no moving bars even on a terminal.</summary>
    public bool Plain { get; init; }

    /// <summary>Refuses what cannot work before anything is made.</summary>
    /// <exception cref="DemoException">A value is out of range or a file is missing.</exception>
    public void Validate()
    {
        if (SizeMiB is < SizeMiBMin or > SizeMiBMax)
            throw new DemoException($"The size of the sample disk must be between {SizeMiBMin} and {SizeMiBMax} MiB, not {SizeMiB}.");
        if (Directory.Exists(DiskFile))
            throw new DemoException($"'{DiskFile}' is a folder; --disk takes a disk file.");
        if (DiskFile is not null && !File.Exists(DiskFile))
            throw new DemoException($"There is no disk file '{DiskFile}'.");
    }
}
