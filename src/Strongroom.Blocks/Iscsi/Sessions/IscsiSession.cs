using Strongroom.Blocks.Iscsi.Login;
using Strongroom.Blocks.Iscsi.Pdus;
using Strongroom.Blocks.Iscsi.Scsi;

namespace Strongroom.Blocks.Iscsi.Sessions;

/// <summary>The full feature phase of one session of one connection (RFC 7143, 4.2.5), error recovery level 0: what goes wrong on the wire ends it.</summary>
internal sealed class IscsiSession : IAsyncDisposable
{
    private readonly TargetHost? _target;
    private readonly TextResponder _texts;
    private readonly CommandWindow _window;
    private readonly PduReader _reader;
    private readonly PduSender _sender;
    private readonly IscsiServerOptions _options;
    private readonly TaskSet _tasks;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SortedDictionary<uint, Pdu> _held = [];
    private readonly List<Task> _working = [];
    private int _received;
    private bool _hasLoggedOut;
    private bool _isDisposed;

    public IscsiSession(
        ushort handle, Nexus nexus, SessionParameters parameters, TargetHost? target, TextResponder texts, CommandWindow window, PduReader reader, PduSender sender, IscsiServerOptions options)
    {
        Handle = handle;
        Nexus = nexus;
        _target = target;
        _texts = texts;
        _window = window;
        _reader = reader;
        _sender = sender;
        _options = options;
        Parameters = parameters;
        Stopping = _stop.Token;
        _tasks = new(this, window, sender, options);
    }

    public ushort Handle { get; }

    public Nexus Nexus { get; }

    public SessionParameters Parameters { get; }

    /// <summary>The units that it sees; none in a discovery session.</summary>
    public IReadOnlyDictionary<byte, LogicalUnit> Units { get; private set; } = new Dictionary<byte, LogicalUnit>();

    /// <summary>Completes when nothing of the session is left.</summary>
    public Task Ended => _ended.Task;

    public CancellationToken Stopping { get; }

    public TargetHost? Target => _target;

    public TaskSet Tasks => _tasks;

    /// <exception cref="LoginRefusedException">The target does not take it.</exception>
    public async Task EnterAsync(CancellationToken cancellationToken)
    {
        if (_target is not null)
            Units = await _target.EnterAsync(this, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Serves until the initiator leaves or the session is ended. Disposes the session.</summary>
    /// <exception cref="IOException">The connection was lost, or the initiator broke the protocol.</exception>
    public async Task RunAsync(CancellationToken serverStop)
    {
        await using var self = this;
        await using var whenServerStops = serverStop.UnsafeRegister(static session => ((IscsiSession)session!).Stop(), this);
        (_sender.HasHeaderDigest, _sender.HasDataDigest) = (Parameters.HasHeaderDigest, Parameters.HasDataDigest);
        (_reader.HasHeaderDigest, _reader.HasDataDigest) = (Parameters.HasHeaderDigest, Parameters.HasDataDigest);
        _reader.MostDataBytes = SessionParameters.ReceiveDataBytes;
        using var idle = new PeriodicTimer(_options.IdleTimeout, _options.Time);
        Work(() => WatchAsync(idle));
        while (!_hasLoggedOut)
        {
            var pdu = await _reader.ReadAsync(Stopping).ConfigureAwait(false);
            Interlocked.Increment(ref _received);
            await AcceptAsync(pdu).ConfigureAwait(false);
        }
    }

    /// <summary>Ends it without a word. Returns at once.</summary>
    public void Stop()
    {
        lock (_stop)
        {
            if (!_isDisposed)
                _ = _stop.CancelAsync();
        }
    }

    /// <summary>Asks the initiator to log out (async event 1), waits so long, and ends the session (async event 3).</summary>
    public async Task EndAsync(TimeSpan grace)
    {
        if (grace > TimeSpan.Zero)
        {
            await TellAsync(1, (ushort)Math.Min(grace.TotalSeconds, ushort.MaxValue)).ConfigureAwait(false);
            await Task.WhenAny(Ended, Task.Delay(grace, _options.Time, Stopping)).ConfigureAwait(false);
        }

        await TellAsync(3, 0).ConfigureAwait(false);
        Stop();
        await Ended.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        Stop();
        await _tasks.EndAsync().ConfigureAwait(false);
        await Task.WhenAll(_working).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var pdu in _held.Values)
            pdu.Dispose();
        if (_target is not null && Units.Count > 0)
            await _target.LeaveAsync(this, _hasLoggedOut).ConfigureAwait(false);
        lock (_stop)
            _isDisposed = true;
        _stop.Dispose();
        _ended.SetResult();
    }

    /// <summary>Data and immediate PDUs at once; others in the order of their CmdSN, and outside the window not at all (RFC 7143, 4.2.2.1).</summary>
    private async Task AcceptAsync(Pdu pdu)
    {
        if (pdu.Opcode is IscsiOpcode.DataOut or IscsiOpcode.Snack || pdu.IsImmediate)
        {
            await DispatchAsync(pdu).ConfigureAwait(false);
            return;
        }

        if (!_window.Contains(pdu.CommandSn) || !_held.TryAdd(pdu.CommandSn, pdu))
        {
            pdu.Dispose();
            return;
        }

        while (_held.Remove(_window.Snapshot().Expected, out var next))
        {
            _window.TryTake(next.CommandSn);
            await DispatchAsync(next).ConfigureAwait(false);
        }
    }

    private async Task DispatchAsync(Pdu pdu)
    {
        using (pdu)
        {
            try
            {
                await HandleAsync(pdu).ConfigureAwait(false);
            }
            catch (IscsiProtocolException failure)
            {
                // A reject says why; then the session ends all the same.
                var reject = new OutgoingPdu(IscsiOpcode.Reject, pdu.Header).Set(2, (byte)failure.Reason).Set(16, Pdu.NoTag);
                await SendSoonAsync(reject).ConfigureAwait(false);
                throw;
            }
        }
    }

    private async Task HandleAsync(Pdu pdu)
    {
        switch (pdu.Opcode)
        {
            case IscsiOpcode.ScsiCommand when _target is not null:
                _tasks.Start(pdu);
                return;
            case IscsiOpcode.DataOut when _target is not null:
                _tasks.Take(pdu);
                return;
            case IscsiOpcode.TaskManagementRequest when _target is not null:
                var request = new TaskManagement(this, pdu);
                Work(request.RunAsync);
                break;
            case IscsiOpcode.NopOut:
                await AnswerPingAsync(pdu).ConfigureAwait(false);
                break;
            case IscsiOpcode.TextRequest:
                await _sender.SendAsync(_texts.Answer(pdu), StatusNumber.Taken, Stopping).ConfigureAwait(false);
                break;
            case IscsiOpcode.LogoutRequest:
                await LogOutAsync(pdu).ConfigureAwait(false);
                break;
            case IscsiOpcode.Snack:
                throw new IscsiProtocolException("There are no SNACKs at error recovery level 0.", RejectReason.SnackReject);
            default:
                throw new IscsiProtocolException($"The initiator sent opcode 0x{(byte)pdu.Opcode:x2}.", RejectReason.CommandNotSupported);
        }

        if (!pdu.IsImmediate)
            _window.Free();
    }

    public Task SendAsync(OutgoingPdu pdu, StatusNumber number) => _sender.SendAsync(pdu, number, Stopping);

    private async Task AnswerPingAsync(Pdu ping)
    {
        // Without a tag it is the answer to a ping of ours.
        if (ping.InitiatorTaskTag == Pdu.NoTag)
            return;
        var data = ping.Data[..Math.Min(ping.Data.Length, Parameters.SendDataBytes)];
        var answer = new OutgoingPdu(IscsiOpcode.NopIn, data.Span).Set(8, ping.Lun).Set(16, ping.InitiatorTaskTag).Set(20, Pdu.NoTag);
        await _sender.SendAsync(answer, StatusNumber.Taken, Stopping).ConfigureAwait(false);
    }

    private async Task LogOutAsync(Pdu request)
    {
        const int forRecovery = 2;
        const byte recoveryNotSupported = 2;
        var isRecovery = (request.Flags & 0x7f) == forRecovery;
        var response = new OutgoingPdu(IscsiOpcode.LogoutResponse).Set(2, isRecovery ? recoveryNotSupported : (byte)0).Set(16, request.InitiatorTaskTag);
        if (!isRecovery)
            await _tasks.AbortAsync(static _ => true).ConfigureAwait(false);
        await _sender.SendAsync(response, StatusNumber.Taken, Stopping).ConfigureAwait(false);
        _hasLoggedOut = !isRecovery;
    }

    /// <summary>Asks who was silent for long whether he is there, and ends the session when he does not answer.</summary>
    private async Task WatchAsync(PeriodicTimer timer)
    {
        var (seen, isAsked) = (0, false);

        // Not awaited: an initiator that takes nothing from its connection would hold it for ever.
        var asking = Task.CompletedTask;
        while (await timer.WaitForNextTickAsync(Stopping).ConfigureAwait(false))
        {
            var received = Volatile.Read(ref _received);
            if (received != seen)
            {
                (seen, isAsked) = (received, false);
            }
            else if (isAsked)
            {
                Stop();
                await asking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            }
            else
            {
                isAsked = true;
                asking = _sender.SendAsync(new OutgoingPdu(IscsiOpcode.NopIn).Set(16, Pdu.NoTag).Set(20, 1u), StatusNumber.Shown, Stopping);
            }
        }
    }

    private Task TellAsync(byte asyncEvent, ushort parameter3) =>
        SendSoonAsync(new OutgoingPdu(IscsiOpcode.AsyncMessage).Set(16, Pdu.NoTag).Set(36, asyncEvent).Set(42, (byte)(parameter3 >> 8)).Set(43, (byte)parameter3));

    /// <summary>Sends to somebody who may not listen any more.</summary>
    private async Task SendSoonAsync(OutgoingPdu pdu)
    {
        try
        {
            using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(1), _options.Time);
            await _sender.SendAsync(pdu, StatusNumber.Taken, soon.Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // It may have been sent in part: nothing can follow it.
            Stop();
        }
    }

    /// <summary>Lets something run beside the reader; its failure ends the session.</summary>
    private void Work(Func<Task> work)
    {
        _working.RemoveAll(static task => task.IsCompletedSuccessfully);
        _working.Add(Task.Run(async () =>
        {
            try
            {
                await work().ConfigureAwait(false);
            }
            catch
            {
                Stop();
                throw;
            }
        }));
    }
}
