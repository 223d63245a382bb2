using Strongroom.Blocks.Overlay;

namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>A run of blocks, and whether there may be something other than zeros in it.</summary>
internal readonly record struct ProvisionedRun(BlockRange Range, bool IsMapped);

/// <summary>A direct access block device (SPC-4, SBC-3) over a device of ours. Safe from many threads.</summary>
internal sealed class LogicalUnit(IBlockDevice device, UnitIdentity identity, Action<Exception> onFailure) : IDisposable
{
    public const int BlockBytes = 512;

    /// <summary>The grain of overlays; what is smaller is written with what is around it.</summary>
    public const int GrainBlocks = OverlayFormat.BlockSizeBytes / BlockBytes;

    public const int MostTransferBytes = 4 << 20;
    public const int MostCompareBlocks = 255;

    /// <summary>Blocks of one UNMAP descriptor: 512 MiB.</summary>
    public const int MostUnmapBlocks = 1 << 20;

    /// <summary>Blocks of one WRITE SAME.</summary>
    public const int MostSameBlocks = 0xfff8;

    // What COMPARE AND WRITE read must still be so when it writes.
    private readonly SemaphoreSlim _changing = new(1);

    public UnitIdentity Identity => identity;

    public long Blocks => device.LengthBytes / BlockBytes;

    public bool IsReadOnly => device.IsReadOnly || Mode.IsWriteProtected;

    /// <summary>Nothing writes it, whatever the initiator's settings are.</summary>
    public bool IsReadOnlyForever => device.IsReadOnly;

    public ModeSettings Mode { get; } = new();

    public UnitAttentions Attentions { get; } = new();

    public Reservations Reservations { get; } = new();

    /// <summary>Performs a command; every outcome but a cancellation is a result.</summary>
    public async ValueTask<ScsiResult> ExecuteAsync(ScsiCommand command, CancellationToken cancellationToken)
    {
        try
        {
            return await PerformAsync(command, cancellationToken).ConfigureAwait(false);
        }
        catch (ScsiException failure)
        {
            return new(ScsiStatus.CheckCondition, failure.Sense);
        }
        catch (ReservationConflictException)
        {
            return new(ScsiStatus.ReservationConflict);
        }
    }

    public byte[] FormatSense(Sense sense) => Mode.HasDescriptorSense ? sense.FormatDescriptors() : sense.Format();

    /// <summary>A reset of the unit: reservations of the old kind, settings and attentions are as at the beginning. Tasks are the caller's to abort.</summary>
    public void Reset()
    {
        Mode.Reset();
        Reservations.Reset();
        Attentions.RaiseForAll(Sense.ResetOccurred);
    }

    public async ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            await device.ReadAsync(offsetBytes, buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            onFailure(failure);
            throw new ScsiException(Sense.UnrecoveredReadError);
        }
    }

    public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        ChangeDeviceAsync(token => device.WriteAsync(offsetBytes, data, token), cancellationToken);

    public ValueTask ZeroAsync(BlockRange range, CancellationToken cancellationToken) =>
        ChangeDeviceAsync(token => device.ZeroAsync(range.OffsetBytes, range.LengthBytes, token), cancellationToken);

    /// <summary>Reads a range, lets it be changed, and writes it, in one step for all other writers.</summary>
    public ValueTask ChangeAsync(BlockRange range, Action<Memory<byte>> change, CancellationToken cancellationToken) =>
        ChangeDeviceAsync(
            async token =>
            {
                var buffer = new byte[range.LengthBytes];
                await ReadAsync(range.OffsetBytes, buffer, token).ConfigureAwait(false);
                change(buffer);
                await device.WriteAsync(range.OffsetBytes, buffer, token).ConfigureAwait(false);
            },
            cancellationToken);

    /// <summary>What is written is thrown away with the session, so nothing of it need be durable.</summary>
    public static ValueTask FlushAsync() => ValueTask.CompletedTask;

    public async ValueTask<IReadOnlyList<ProvisionedRun>> DescribeAsync(long firstBlock, int mostRuns, CancellationToken cancellationToken)
    {
        // A descriptor counts blocks with 32 bits.
        var blocks = Math.Min(Blocks - firstBlock, uint.MaxValue);
        try
        {
            var extents = await device.DescribeAsync(firstBlock * BlockBytes, blocks * BlockBytes, mostRuns, cancellationToken).ConfigureAwait(false);
            return [.. extents.Select(extent => new ProvisionedRun(new(extent.OffsetBytes / BlockBytes, extent.LengthBytes / BlockBytes), extent.Kind != BlockKind.Zero))];
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            onFailure(failure);
            throw new ScsiException(Sense.UnrecoveredReadError);
        }
    }

    public void Dispose() => _changing.Dispose();

    private ValueTask<ScsiResult> PerformAsync(ScsiCommand command, CancellationToken cancellationToken)
    {
        var reportsAttention = command.Opcode is 0x03 or 0x12 or 0xa0;
        if (!reportsAttention && Attentions.Take(command.Nexus) is { } attention)
            throw new ScsiException(attention);
        var entry = CommandTable.Find(command.Cdb);
        const byte normalAca = 0x04;
        if ((command.Cdb[entry.UsageBits.Length - 1] & normalAca) != 0)
            throw new ScsiException(Sense.InvalidFieldInCdb);
        Reservations.Require(command.Nexus, entry);
        if (entry.ChangesMedium && IsReadOnly)
            throw new ScsiException(Sense.WriteProtected);
        return entry.Handler(command, cancellationToken);
    }

    private async ValueTask ChangeDeviceAsync(Func<CancellationToken, ValueTask> change, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await change(cancellationToken).ConfigureAwait(false);
        }
        catch (OverlayFullException failure)
        {
            onFailure(failure);
            throw new ScsiException(Sense.SpaceAllocationFailed);
        }
        catch (Exception failure) when (failure is not ScsiException && !cancellationToken.IsCancellationRequested)
        {
            onFailure(failure);
            throw new ScsiException(Sense.WriteError);
        }
        finally
        {
            _changing.Release();
        }
    }
}
