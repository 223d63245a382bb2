using System.Buffers;
using System.Buffers.Binary;

namespace Strongroom.Blocks.Nbd.Server;

/// <summary>The transmission phase with one client: requests are read in order, worked on side by side, and answered as they are done.</summary>
/// <remarks>Memory: the requests under way, at most <see cref="NbdServerOptions.BytesInFlight"/>.</remarks>
internal sealed class NbdServerConnection(BufferedWire wire, IBlockDevice device, NbdAgreement agreement, NbdServerOptions options) : IDisposable
{
    private const int BudgetUnitBytes = 1 << 20;
    private const int MostExtents = 64 * 1024;

    private readonly NbdReplySender _replies = new(wire, agreement.HasStructuredReplies);
    private readonly SemaphoreSlim _requests = new(options.RequestsInFlight);
    private readonly SemaphoreSlim _budget = new(Math.Max(options.BytesInFlight, (int)NbdProtocol.DefaultMaximumPayloadBytes) / BudgetUnitBytes);

    /// <summary>Serves until the client leaves.</summary>
    /// <exception cref="IOException">The client broke the protocol or went away without leave.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var working = new List<Task>();
        try
        {
            while (true)
            {
                var request = await ReadRequestAsync(stop.Token).ConfigureAwait(false);
                if (request.Command == NbdProtocol.CommandDisconnect)
                    break;
                working.RemoveAll(static task => task.IsCompletedSuccessfully);
                working.Add(await StartAsync(request, stop).ConfigureAwait(false));
            }
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            // Nobody uses the device any more when this returns. "MUST complete": what was asked before the client's leave is answered.
            await Task.WhenAll(working).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose()
    {
        _replies.Dispose();
        _requests.Dispose();
        _budget.Dispose();
    }

    private async ValueTask<Request> ReadRequestAsync(CancellationToken cancellationToken)
    {
        var header = await wire.ReadSmallAsync(NbdProtocol.RequestLengthBytes, cancellationToken).ConfigureAwait(false);
        if (BinaryPrimitives.ReadUInt32BigEndian(header.Span) != NbdProtocol.RequestMagic)
            throw new IOException("The NBD client sent a request with the wrong magic number.");
        return new(
            BinaryPrimitives.ReadUInt16BigEndian(header.Span[4..]),
            BinaryPrimitives.ReadUInt16BigEndian(header.Span[6..]),
            BinaryPrimitives.ReadUInt64BigEndian(header.Span[8..]),
            BinaryPrimitives.ReadUInt64BigEndian(header.Span[16..]),
            BinaryPrimitives.ReadUInt32BigEndian(header.Span[24..]));
    }

    /// <summary>Waits for room, takes a write's data from the wire, and lets the request run.</summary>
    private async Task<Task> StartAsync(Request request, CancellationTokenSource stop)
    {
        var cancellationToken = stop.Token;
        var hasData = request.Command is NbdProtocol.CommandRead or NbdProtocol.CommandWrite;
        if (request.Command == NbdProtocol.CommandWrite && request.LengthBytes > NbdProtocol.DefaultMaximumPayloadBytes)
            throw new IOException($"The NBD client wrote {request.LengthBytes} bytes at once.");
        var error = Check(request);

        // Memory only for what is going to be done.
        var units = hasData && error == 0 ? (int)((request.LengthBytes + BudgetUnitBytes - 1) / BudgetUnitBytes) : 0;
        await _requests.WaitAsync(cancellationToken).ConfigureAwait(false);
        for (var unit = 0; unit < units; unit++)
            await _budget.WaitAsync(cancellationToken).ConfigureAwait(false);
        var buffer = units > 0 ? ArrayPool<byte>.Shared.Rent(NbdReplySender.HeadroomBytes + (int)request.LengthBytes) : [];
        if (request.Command == NbdProtocol.CommandWrite)
        {
            if (error == 0)
                await wire.ReadIntoAsync(Payload(buffer, request), cancellationToken).ConfigureAwait(false);
            else
                await wire.SkipAsync((int)request.LengthBytes, cancellationToken).ConfigureAwait(false);
        }

        // On the pool: a device that answers at once must not keep the next request waiting.
        return Task.Run(
            async () =>
            {
                try
                {
                    await AnswerAsync(request, error, buffer, cancellationToken).ConfigureAwait(false);
                }
                catch
                {
                    // The reply could not be sent: the reader is woken, too.
                    await stop.CancelAsync().ConfigureAwait(false);
                    throw;
                }
                finally
                {
                    if (units > 0)
                    {
                        ArrayPool<byte>.Shared.Return(buffer);
                        _budget.Release(units);
                    }

                    _requests.Release();
                }
            },
            CancellationToken.None);
    }

    /// <summary>The error that a request is refused with before anything is done; 0 when it is good.</summary>
    private uint Check(Request request)
    {
        var length = (ulong)device.LengthBytes;
        var isInside = request.OffsetBytes <= length && request.LengthBytes <= length - request.OffsetBytes;
        switch (request.Command)
        {
            case NbdProtocol.CommandRead:
                return isInside && request.LengthBytes is > 0 and <= NbdProtocol.DefaultMaximumPayloadBytes && request.HasOnly(agreement.HasStructuredReplies ? NbdProtocol.FlagDoNotFragment : 0)
                    ? 0
                    : NbdProtocol.InvalidArgument;
            case NbdProtocol.CommandWrite or NbdProtocol.CommandTrim or NbdProtocol.CommandWriteZeroes when device.IsReadOnly:
                return NbdProtocol.NotPermitted;
            case NbdProtocol.CommandWrite or NbdProtocol.CommandTrim or NbdProtocol.CommandWriteZeroes:
                if (request.LengthBytes == 0 || !request.HasOnly(NbdProtocol.FlagForceUnitAccess | (request.Command == NbdProtocol.CommandWriteZeroes ? NbdProtocol.FlagNoHole : 0)))
                    return NbdProtocol.InvalidArgument;
                return isInside ? 0 : NbdProtocol.NoSpaceLeft;
            case NbdProtocol.CommandFlush:
                return request is { OffsetBytes: 0, LengthBytes: 0, Flags: 0 } ? 0 : NbdProtocol.InvalidArgument;
            case NbdProtocol.CommandCache:
                return isInside && request is { LengthBytes: > 0, Flags: 0 } ? 0 : NbdProtocol.InvalidArgument;
            case NbdProtocol.CommandBlockStatus:
                return agreement.HasAllocation && isInside && request.LengthBytes > 0 && request.HasOnly(NbdProtocol.FlagOneExtent) ? 0 : NbdProtocol.InvalidArgument;
            default:
                return NbdProtocol.InvalidArgument;
        }
    }

    private async Task AnswerAsync(Request request, uint error, byte[] buffer, CancellationToken cancellationToken)
    {
        IReadOnlyList<BlockExtent> extents = [];
        if (error == 0)
        {
            try
            {
                extents = await PerformAsync(request, buffer, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
            {
                // Whatever the device's trouble is, it is this request's alone.
                options.OnFailure(failure);
                error = NbdProtocol.InputOutputError;
            }
        }

        if (error != 0)
            await _replies.ErrorAsync(request.Cookie, error, cancellationToken).ConfigureAwait(false);
        else if (request.Command == NbdProtocol.CommandRead)
            await _replies.DataAsync(request.Cookie, (long)request.OffsetBytes, buffer.AsMemory(0, NbdReplySender.HeadroomBytes + (int)request.LengthBytes), request.Has(NbdProtocol.FlagDoNotFragment), cancellationToken).ConfigureAwait(false);
        else if (request.Command == NbdProtocol.CommandBlockStatus)
            await _replies.StatusAsync(request.Cookie, extents, cancellationToken).ConfigureAwait(false);
        else
            await _replies.DoneAsync(request.Cookie, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<IReadOnlyList<BlockExtent>> PerformAsync(Request request, byte[] buffer, CancellationToken cancellationToken)
    {
        var offset = (long)request.OffsetBytes;
        switch (request.Command)
        {
            case NbdProtocol.CommandRead:
                await device.ReadAsync(offset, Payload(buffer, request), cancellationToken).ConfigureAwait(false);
                break;
            case NbdProtocol.CommandWrite:
                await device.WriteAsync(offset, Payload(buffer, request), cancellationToken).ConfigureAwait(false);
                break;
            case NbdProtocol.CommandWriteZeroes:
                await device.ZeroAsync(offset, request.LengthBytes, cancellationToken).ConfigureAwait(false);
                break;
            case NbdProtocol.CommandFlush:
                await device.FlushAsync(cancellationToken).ConfigureAwait(false);
                break;
            case NbdProtocol.CommandBlockStatus:
                return await device.DescribeAsync(offset, request.LengthBytes, request.Has(NbdProtocol.FlagOneExtent) ? 1 : MostExtents, cancellationToken).ConfigureAwait(false);
            default:
                break; // NBD_CMD_CACHE and NBD_CMD_TRIM are hints.
        }

        if (request.Has(NbdProtocol.FlagForceUnitAccess))
            await device.FlushAsync(cancellationToken).ConfigureAwait(false);
        return [];
    }

    private static Memory<byte> Payload(byte[] buffer, Request request) => buffer.AsMemory(NbdReplySender.HeadroomBytes, (int)request.LengthBytes);

    private readonly record struct Request(ushort Flags, ushort Command, ulong Cookie, ulong OffsetBytes, uint LengthBytes)
    {
        public bool Has(int flag) => (Flags & flag) != 0;

        /// <summary>A flag that is not known might change what the request means.</summary>
        public bool HasOnly(int flags) => (Flags & ~flags) == 0;
    }
}
