using Strongroom.Blocks;

namespace Strongroom.Cli.Store;

/// <summary>What <c>--format</c> takes.</summary>
internal enum ImageFormat
{
    Auto,
    Raw,
    Qcow2,
    Vhd,
}

/// <summary>A disk in a file of the user's own, or a block device, open for a backup.</summary>
internal sealed class ImageFile : IAsyncDisposable
{
    private readonly DiskFile watched;
    private readonly Blocks.Raw.FileIdentity before;
    private readonly DiskFormat format;

    private ImageFile(DiskFile watched, DiskFormat format, IBlockSource blocks)
    {
        this.format = format;
        this.watched = watched;
        before = watched.Identity;
        Blocks = blocks;
    }

    public IBlockSource Blocks { get; }

    /// <summary>True when something wrote to the file since it was opened. Never of a device, of which nobody can tell: it is kept from being mounted meanwhile.</summary>
    public bool HasChanged => !watched.IsDevice && watched.Identity != before;

    /// <summary>
    /// Names the disk's bytes, so that a backup goes on where one died; null where they are not of this file alone, or where a later change
    /// could bear the same time as the last, as any change of a device does.
    /// </summary>
    /// <param name="now">The time of this machine.</param>
    public string? ResumeToken(DateTimeOffset now) =>
        watched.IsDevice ? null : before.NameContent(format, now);

    /// <param name="allowChanging">Opens a device also while it is mounted.</param>
    /// <exception cref="UsageException">The format is not clear.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The file is not of its format.</exception>
    public static async Task<ImageFile> OpenAsync(string path, ImageFormat format, bool allowChanging, CancellationToken cancellationToken)
    {
        // The user named the file, so a link is followed.
        var real = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        var watched = Open(real, allowChanging);
        try
        {
            var chosen = Choose(watched, path, format);
            var options = new DiskOpenOptions
            {
                Format = chosen,
                OpenBackingFile = static (backing, _) => new(DiskFile.OpenRegular(backing)),
            };
            return new(watched, chosen, await DiskImage.OpenAsync(watched.Reopen(), options, cancellationToken));
        }
        catch
        {
            watched.Dispose();
            throw;
        }
    }

    private static DiskFile Open(string path, bool allowChanging)
    {
        try
        {
            return DiskFile.OpenFileOrDevice(path, allowChanging);
        }
        catch (DiskInUseException failure)
        {
            throw new IOException($"{failure.Message} Back up a snapshot of it; --allow-changing reads it all the same.", failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Blocks.DisposeAsync();
        watched.Dispose();
    }

    /// <summary>
    /// By name, never by content alone: the owner of a raw disk can make it begin like a qcow2 that names any file of this machine as its
    /// backing file, and so have that file backed up as a part of the disk.
    /// </summary>
    private static DiskFormat Choose(DiskFile file, string path, ImageFormat format)
    {
        if (file.IsDevice)
        {
            return format is ImageFormat.Auto or ImageFormat.Raw
                ? DiskFormat.Raw
                : throw new UsageException($"'{path}' is a device, and a device is always read as it is: leave --format out.");
        }

        var detected = DiskImage.Detect(file.Handle);
        switch (format)
        {
            case ImageFormat.Raw:
                return DiskFormat.Raw;
            case ImageFormat.Qcow2:
                return DiskFormat.Qcow2;
            case ImageFormat.Vhd:
                return VhdOf(detected);
        }

        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".qcow2" or ".qcow" => DiskFormat.Qcow2,
            ".vhd" => VhdOf(detected),
            _ when detected == DiskFormat.Raw => DiskFormat.Raw,
            _ => throw new UsageException($"'{path}' looks like {detected} inside, but not by its name. Say which it is: --format raw, or --format {(detected == DiskFormat.Qcow2 ? "qcow2" : "vhd")}."),
        };
    }

    private static DiskFormat VhdOf(DiskFormat detected) => detected == DiskFormat.DynamicVhd ? DiskFormat.DynamicVhd : DiskFormat.FixedVhd;
}
