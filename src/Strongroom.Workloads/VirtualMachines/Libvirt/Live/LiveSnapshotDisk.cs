using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Blocks.Nbd;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>A disk of a <see cref="LiveSnapshot"/>, read from the machine's QEMU.</summary>
internal sealed class LiveSnapshotDisk(LiveSnapshot snapshot, MachineDisk disk, BackupDisk export, NbdAddress server) : IMachineSnapshotDisk
{
    // QEMU works on 16 requests of a connection at a time, and on all of one export in one thread: a second connection keeps it busy between answers.
    private const int Connections = 2;

    public MachineDisk Disk => disk;

    public bool KnowsChanges => export.Since is not null;

    public async Task<IBlockSource> OpenAsync(bool sinceParent, CancellationToken cancellationToken)
    {
        try
        {
            var options = new NbdSourceOptions
            {
                Client = new() { ExportName = export.Export },
                ChangedBitmap = sinceParent ? BackupXml.ChangedBitmap : null,
                Connections = Connections,
                IsStable = true,
            };
            var source = await NbdBlockSource.ConnectAsync(server, options, cancellationToken);
            if (IsOfSize(source)) return new Source(snapshot, disk.Name, source);
            await source.DisposeAsync();
            throw new MachineException(MachineProblem.HostFailed, $"Disk '{disk.Name}' of the running machine has {export.SizeBytes} bytes, and what is served at {server} has {source.Export.LengthBytes}.");
        }
        catch (IOException exception)
        {
            throw Explain(exception);
        }
    }

    /// <summary>QEMU counts in sectors, the host's file may end within one.</summary>
    private bool IsOfSize(NbdBlockSource source) => source.LengthBytes == (export.SizeBytes + 511) / 512 * 512;

    private MachineException Explain(IOException exception) => Explain(snapshot, disk.Name, exception);

    private static MachineException Explain(LiveSnapshot snapshot, string disk, IOException exception) => snapshot.GivenUp is { } reason
        ? new(MachineProblem.ScratchFull, reason, exception)
        : new(MachineProblem.HostFailed, $"Disk '{disk}' cannot be read from the running machine: {exception.Message}", exception);

    /// <summary>The disk, with errors in words for the machine's owner.</summary>
    private sealed class Source(LiveSnapshot snapshot, string name, NbdBlockSource disk) : IBlockSource
    {
        public long LengthBytes => disk.LengthBytes;

        public async IAsyncEnumerable<BlockExtent> MapAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await using var extents = disk.MapAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (true)
            {
                try
                {
                    if (!await extents.MoveNextAsync()) yield break;
                }
                catch (IOException exception)
                {
                    throw Explain(snapshot, name, exception);
                }

                yield return extents.Current;
            }
        }

        public async ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            try
            {
                await disk.ReadAsync(offsetBytes, buffer, cancellationToken);
            }
            catch (IOException exception)
            {
                throw Explain(snapshot, name, exception);
            }
        }

        public ValueTask DisposeAsync() => disk.DisposeAsync();
    }
}
