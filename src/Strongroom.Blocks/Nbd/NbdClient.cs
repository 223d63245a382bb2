using System.Buffers;
using System.Buffers.Binary;

namespace Strongroom.Blocks.Nbd;

/// <summary>A client of one NBD export on one connection, with many requests on their way at once.</summary>
/// <remarks>
/// <para>Safe from many threads. Speaks fixed newstyle negotiation, extended headers, structured and simple replies, and meta contexts (NetworkBlockDevice/nbd, doc/proto.md).</para>
/// <para>A read's data is received straight into the caller's memory. So a cancelled request waits for its answer for
/// <see cref="NbdClientOptions.CancellationGrace"/> before it returns, and after that the connection is given up: when a call has returned, nobody writes into its memory any more.</para>
/// <para>Errors that the server reports for a request are <see cref="IOException"/> and leave the connection good. A broken protocol, a lost connection, a
/// request that was given up or not answered within <see cref="NbdClientOptions.AnswerTimeout"/> break it for good: every request then fails with an <see cref="IOException"/> that tells the first cause.</para>
/// </remarks>
public sealed class NbdClient : IAsyncDisposable
{
    // Of the 32 bits that there are without extended headers.
    private const long LongestCompactStatusBytes = 1 << 30;

    private readonly NbdClientOptions _options;
    private readonly BufferedWire _wire;
    private readonly SemaphoreSlim _inFlight;
    private readonly SemaphoreSlim _sending = new(1);
    private readonly byte[] _header = new byte[NbdProtocol.ExtendedRequestLengthBytes]; // guarded by _sending
    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, NbdRequest> _requests = []; // guarded by _lock
    private readonly Task _receiving;
    private ulong _lastCookie; // guarded by _lock
    private bool _isClosed; // guarded by _lock: the receiver has gone, nobody would answer
    private Exception? _broken; // set once, by Break

    private NbdClient(BufferedWire wire, NbdExport export, NbdClientOptions options)
    {
        _wire = wire;
        _options = options;
        Export = export;
        _inFlight = new SemaphoreSlim(options.MaximumRequestsInFlight);
        _receiving = ReceiveAsync();
    }

    /// <summary>What the server said of the export.</summary>
    public NbdExport Export { get; }

    /// <summary>Nothing that is asked from now on will be answered.</summary>
    public bool IsBroken => Volatile.Read(ref _broken) is not null;

    /// <summary>Connects and opens the export.</summary>
    /// <exception cref="IOException">No connection, no NBD server, no such export, TLS that was demanded and not had, or no answer in time.</exception>
    public static Task<NbdClient> ConnectAsync(NbdAddress address, NbdClientOptions options, CancellationToken cancellationToken) => NbdConnector.RunAsync(
        address,
        options,
        async channel => new NbdClient(channel.Wire, await new NbdHandshake(channel, options.ExportName).RunAsync(options.MetaContexts).ConfigureAwait(false), options),
        cancellationToken);

    /// <summary>Fills the buffer from the device; any offset and length inside it, also such as are no multiples of the server's block size.</summary>
    /// <exception cref="IOException">The server could not read it, or the connection is broken. The buffer's content is then undefined.</exception>
    public async ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offsetBytes, Export.LengthBytes - buffer.Length);
        var block = Export.MinimumBlockSizeBytes;
        if (offsetBytes % block != 0 || (buffer.Length % block != 0 && offsetBytes + buffer.Length != Export.LengthBytes))
        {
            await ReadUnalignedAsync(offsetBytes, buffer, cancellationToken).ConfigureAwait(false);
            return;
        }

        while (!buffer.IsEmpty)
        {
            var part = buffer[..(int)Math.Min(buffer.Length, Export.MaximumPayloadBytes)];
            await RunAsync(NbdProtocol.CommandRead, offsetBytes, part.Length, part, cancellationToken).ConfigureAwait(false);
            buffer = buffer[part.Length..];
            offsetBytes += part.Length;
        }
    }

    /// <summary>Asks what the agreed meta contexts say of the device from an offset on (NBD_CMD_BLOCK_STATUS).</summary>
    /// <param name="offsetBytes">A multiple of the server's block size.</param>
    /// <param name="lengthBytes">How much to ask for; the server may answer for less (but for something), and its last run may reach further.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>For each agreed context by name the runs, in order, the first beginning at the offset.</returns>
    /// <exception cref="IOException">The server could not tell, or the connection is broken.</exception>
    /// <exception cref="InvalidOperationException">No meta context was agreed on.</exception>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<NbdExtent>>> BlockStatusAsync(long offsetBytes, long lengthBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lengthBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offsetBytes, Export.LengthBytes - lengthBytes);
        if (Export.MetaContexts.Count == 0)
            throw new InvalidOperationException("The NBD server agreed to no meta context.");
        var length = Export.Headers == NbdHeaders.Extended ? lengthBytes : Math.Min(lengthBytes, LongestCompactStatusBytes);
        var request = await RunAsync(NbdProtocol.CommandBlockStatus, offsetBytes, length, Memory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        return Export.MetaContexts.ToDictionary(context => context.Key, IReadOnlyList<NbdExtent> (context) => request.Status[context.Value], StringComparer.Ordinal);
    }

    /// <summary>Says goodbye (NBD_CMD_DISC) and closes; requests under way fail.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Volatile.Read(ref _broken) is null && await _sending.WaitAsync(_options.CancellationGrace, CancellationToken.None).ConfigureAwait(false))
        {
            try
            {
                using var timeout = new CancellationTokenSource(_options.CancellationGrace, _options.Time);
                await _wire.WriteAsync(WriteHeader(NbdProtocol.CommandDisconnect, 0, 0, 0), timeout.Token).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // The goodbye is a courtesy.
            }
            finally
            {
                _sending.Release();
            }
        }

        await BreakAsync(new ObjectDisposedException(nameof(NbdClient))).ConfigureAwait(false);
        await _receiving.ConfigureAwait(false);
    }

    private async ValueTask ReadUnalignedAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var block = Export.MinimumBlockSizeBytes;
        while (!buffer.IsEmpty)
        {
            // At most 1 MiB at a time through a buffer of our own: this is the rare way. The limit is a multiple of the block, and no less than one.
            var start = offsetBytes / block * block;
            var limit = start + Math.Min(Export.MaximumPayloadBytes, 1 << 20);
            var end = Math.Min(Math.Min((offsetBytes + buffer.Length + block - 1) / block * block, limit), Export.LengthBytes);
            var wanted = (int)Math.Min(buffer.Length, end - offsetBytes);
            var bounce = ArrayPool<byte>.Shared.Rent((int)(end - start));
            try
            {
                await RunAsync(NbdProtocol.CommandRead, start, end - start, bounce.AsMemory(0, (int)(end - start)), cancellationToken).ConfigureAwait(false);
                bounce.AsMemory((int)(offsetBytes - start), wanted).CopyTo(buffer);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(bounce);
            }

            buffer = buffer[wanted..];
            offsetBytes += wanted;
        }
    }

    /// <summary>One request from sending to its last chunk.</summary>
    private async ValueTask<NbdRequest> RunAsync(ushort command, long offsetBytes, long lengthBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await _inFlight.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var request = Register(command, offsetBytes, lengthBytes, buffer);
            var sending = SendAsync(request);
            try
            {
                await request.Completion.Task.WaitAsync(_options.AnswerTimeout, _options.Time, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                await BreakAsync(new IOException($"The NBD server did not answer within {_options.AnswerTimeout.TotalSeconds} s.")).ConfigureAwait(false);
                await _receiving.ConfigureAwait(false);
                await request.Completion.Task.ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                await GiveUpAsync(request).ConfigureAwait(false);
                throw;
            }
            finally
            {
                await sending.ConfigureAwait(false);
            }

            return request;
        }
        finally
        {
            _inFlight.Release();
        }
    }

    private NbdRequest Register(ushort command, long offsetBytes, long lengthBytes, Memory<byte> buffer)
    {
        lock (_lock)
        {
            if (_isClosed)
                throw Failure();
            var request = new NbdRequest(++_lastCookie, command, offsetBytes, lengthBytes, buffer);
            _requests.Add(request.Cookie, request);
            return request;
        }
    }

    /// <summary>Never throws: a failure to send breaks the connection, and that ends the request. Not cancelled, because half a header would break it too.</summary>
    private async Task SendAsync(NbdRequest request)
    {
        await _sending.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            await _wire.WriteAsync(WriteHeader(request.Command, request.Cookie, request.OffsetBytes, request.LengthBytes), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            await BreakAsync(exception).ConfigureAwait(false);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>The request in the form that was agreed on; valid until the next one.</summary>
    private ReadOnlyMemory<byte> WriteHeader(ushort command, ulong cookie, long offsetBytes, long lengthBytes)
    {
        var isExtended = Export.Headers == NbdHeaders.Extended;
        BinaryPrimitives.WriteUInt32BigEndian(_header, isExtended ? NbdProtocol.ExtendedRequestMagic : NbdProtocol.RequestMagic);
        BinaryPrimitives.WriteUInt16BigEndian(_header.AsSpan(4), 0);
        BinaryPrimitives.WriteUInt16BigEndian(_header.AsSpan(6), command);
        BinaryPrimitives.WriteUInt64BigEndian(_header.AsSpan(8), cookie);
        BinaryPrimitives.WriteInt64BigEndian(_header.AsSpan(16), offsetBytes);
        if (isExtended)
        {
            BinaryPrimitives.WriteInt64BigEndian(_header.AsSpan(24), lengthBytes);
            return _header;
        }

        BinaryPrimitives.WriteUInt32BigEndian(_header.AsSpan(24), (uint)lengthBytes);
        return _header.AsMemory(0, NbdProtocol.RequestLengthBytes);
    }

    /// <summary>After cancellation: returns when nobody can write into the caller's memory any more.</summary>
    private async Task GiveUpAsync(NbdRequest request)
    {
        try
        {
            await request.Completion.Task.WaitAsync(_options.CancellationGrace, _options.Time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            await BreakAsync(new IOException("A cancelled request was not answered in time.")).ConfigureAwait(false);
            await _receiving.ConfigureAwait(false);
        }
        catch (IOException)
        {
            // It ended with an error; the caller has cancelled and learns only that.
        }
    }

    /// <summary>The one way into the broken state. The receiver notices, because its stream is gone, and ends all requests.</summary>
    private async ValueTask BreakAsync(Exception cause)
    {
        if (Interlocked.CompareExchange(ref _broken, cause, null) is null)
            await _wire.DisposeAsync().ConfigureAwait(false);
    }

    private IOException Failure() => _broken is ObjectDisposedException
        ? new IOException("The NBD connection is closed.", _broken)
        : new IOException($"The NBD connection is broken: {_broken?.Message}", _broken);

    private async Task ReceiveAsync()
    {
        var receiver = new NbdReplyReceiver(_wire, Export, Find, Finish);
        try
        {
            while (true)
                await receiver.ReceiveAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            await BreakAsync(exception).ConfigureAwait(false);
        }

        NbdRequest[] unanswered;
        lock (_lock)
        {
            _isClosed = true;
            unanswered = [.. _requests.Values];
            _requests.Clear();
        }

        foreach (var request in unanswered)
            request.Completion.TrySetException(Failure());
    }

    private NbdRequest? Find(ulong cookie)
    {
        lock (_lock)
            return _requests.GetValueOrDefault(cookie);
    }

    private void Finish(NbdRequest request)
    {
        lock (_lock)
            _requests.Remove(request.Cookie);
        if (request.Error is { } error)
            request.Completion.TrySetException(error);
        else
            request.Completion.TrySetResult();
    }
}
