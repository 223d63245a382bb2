namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>The room in the file system of a scratch folder.</summary>
internal readonly record struct ScratchRoom(long TotalBytes, long AvailableBytes);

/// <summary>A scratch folder, as far as its room can be told.</summary>
/// <param name="folder">Its path on the host.</param>
internal abstract class ScratchSpace(string folder)
{
    public string Folder => folder;

    /// <summary>How often it is worth a look.</summary>
    public abstract TimeSpan Interval { get; }

    /// <summary>For how many intervals there has to be room, at the rate at which the machine writes.</summary>
    public abstract int IntervalsAhead { get; }

    /// <returns>Null: it cannot be told now.</returns>
    public abstract Task<ScratchRoom?> LookAsync(CancellationToken cancellationToken);
}

/// <summary>One of this machine.</summary>
internal sealed class LocalScratch(string folder) : ScratchSpace(folder)
{
    private readonly DriveInfo _drive = new(folder);

    public override TimeSpan Interval => TimeSpan.FromMilliseconds(250);

    public override int IntervalsAhead => 8;

    public ScratchRoom Room => new(_drive.TotalSize, _drive.AvailableFreeSpace);

    /// <remarks>On a thread of the pool: a network file system whose server is gone keeps it for as long as it likes.</remarks>
    public override Task<ScratchRoom?> LookAsync(CancellationToken cancellationToken) => Task.Run<ScratchRoom?>(() => Room, cancellationToken);
}
