using System.Buffers;
using Strongroom.Blocks.Iscsi.Login;
using Strongroom.Blocks.Iscsi.Pdus;
using Strongroom.Blocks.Iscsi.Scsi;

namespace Strongroom.Blocks.Iscsi.Sessions;

/// <summary>A SCSI command on its way: its data come in by immediate, unsolicited and solicited PDUs, and go out as Data-In (RFC 7143, 11.3 to 11.8).</summary>
/// <remarks>The reader calls <see cref="Take"/>; everything else belongs to the task's own flow.</remarks>
internal sealed class IscsiTask : IDataTransfer, IDisposable
{
    private const byte Final = 0x80;
    private const byte ReadFlag = 0x40;
    private const byte WriteFlag = 0x20;

    private readonly SessionParameters _parameters;
    private readonly PduSender _sender;
    private readonly MemoryBudget _budget;
    private readonly CancellationTokenSource _abort;
    private readonly CancellationToken _session;
    private readonly IncomingData? _incoming;
    private readonly byte[] _lun;
    private readonly int _expectedBytes;
    private readonly bool _isRead;
    private OutgoingPdu? _last;
    private byte[] _buffer = [];
    private int _budgeted;
    private long _wantedBytes;
    private uint _dataSn;

    /// <exception cref="IscsiProtocolException">The command brings data that were not agreed on.</exception>
    public IscsiTask(Pdu command, SessionParameters parameters, PduSender sender, MemoryBudget budget, CancellationToken session)
    {
        _parameters = parameters;
        _sender = sender;
        _budget = budget;
        _session = session;
        Tag = command.InitiatorTaskTag;
        IsImmediate = command.IsImmediate;
        Attribute = (byte)(command.Flags & 7);
        Unit = UnitAddress.Parse(command.Lun);
        _lun = command.Lun.ToArray();
        Cdb = command.Header[32..48].ToArray();
        var expected = command.Number(20);
        if (expected > int.MaxValue)
            throw new IscsiProtocolException($"The initiator expects to transfer {expected} bytes.", RejectReason.InvalidField);
        _expectedBytes = (int)expected;

        // No command here goes both ways; of one that says so the length is that of the data to be written.
        var isWrite = (command.Flags & WriteFlag) != 0;
        _isRead = (command.Flags & ReadFlag) != 0 && !isWrite;
        if (isWrite)
            _incoming = new(command, parameters, _expectedBytes);
        else if (command.Data.Length > 0)
            throw new IscsiProtocolException("A command that writes nothing brings data.");
        _abort = CancellationTokenSource.CreateLinkedTokenSource(session);
    }

    public uint Tag { get; }

    public bool IsImmediate { get; }

    /// <summary>The task attribute: 0 untagged, 1 simple, 2 ordered, 3 head of queue, 4 ACA.</summary>
    public byte Attribute { get; }

    /// <summary>Null when the address can be that of no unit.</summary>
    public byte? Unit { get; }

    public byte[] Cdb { get; }

    public CancellationToken Aborted => _abort.Token;

    /// <summary>Its status was sent, or is on its way: it cannot be aborted any more. To be read when <see cref="Running"/> has ended.</summary>
    public bool HasAnswered { get; private set; }

    /// <summary>Ends when the task did.</summary>
    public Task Running { get; set; } = Task.CompletedTask;

    /// <summary>No status is sent any more.</summary>
    public Task AbortAsync() => _abort.CancelAsync();

    /// <summary>Takes a Data-Out PDU, on the reader.</summary>
    /// <exception cref="IscsiProtocolException">It is not the one that is due.</exception>
    public void Take(Pdu data)
    {
        if (_incoming is null)
            throw new IscsiProtocolException("Data came for a command that writes nothing.");
        _incoming.Take(data);
    }

    /// <inheritdoc/>
    public int AnnouncedBytes => _incoming is null ? 0 : _expectedBytes;

    /// <inheritdoc/>
    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(int lengthBytes, CancellationToken cancellationToken)
    {
        _wantedBytes = lengthBytes;
        if (_incoming is null)
            return default;
        var length = Math.Min(lengthBytes, _expectedBytes);
        await _incoming.WholeAsync(cancellationToken).ConfigureAwait(false);
        await TakeBudgetAsync(length, cancellationToken).ConfigureAwait(false);
        _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(length, 1));
        var at = _incoming.MoveTo(_buffer.AsMemory(0, length));
        for (var requestSn = 0u; at < length; requestSn++)
        {
            var burst = Math.Min(length - at, _parameters.MaxBurstBytes);
            var request = new OutgoingPdu(IscsiOpcode.ReadyToTransfer).Set(8, _lun).Set(16, Tag).Set(36, requestSn).Set(40, (uint)at).Set(44, (uint)burst);
            request.Set(20, _incoming.Expect(_buffer.AsMemory(at, burst), at));
            await SendWholeAsync(request, StatusNumber.Shown, cancellationToken).ConfigureAwait(false);
            await _incoming.WholeAsync(cancellationToken).ConfigureAwait(false);
            at += burst;
        }

        return _buffer.AsMemory(0, length);
    }

    /// <inheritdoc/>
    public async ValueTask SendAsync(long lengthBytes, DataFill fill, CancellationToken cancellationToken)
    {
        _wantedBytes = lengthBytes;
        var length = _isRead ? Math.Min(lengthBytes, _expectedBytes) : 0;
        var burst = 0;
        for (long at = 0; at < length;)
        {
            var piece = (int)Math.Min(Math.Min(length - at, PieceBytes), _parameters.MaxBurstBytes - burst);
            var pdu = new OutgoingPdu(IscsiOpcode.DataIn, piece);
            try
            {
                await fill(at, pdu.Data, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                pdu.Dispose();
                throw;
            }

            burst += piece;
            var endsSequence = at + piece == length || burst == _parameters.MaxBurstBytes;
            pdu.Set(1, endsSequence ? Final : (byte)0).Set(8, _lun).Set(16, Tag).Set(20, Pdu.NoTag).Set(36, _dataSn++).Set(40, (uint)at);
            at += piece;
            burst = endsSequence ? 0 : burst;

            // The last one waits for the command's end, whose status it carries.
            if (at == length)
                _last = pdu;
            else
                await SendWholeAsync(pdu, StatusNumber.None, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends the status; with the last data where all went well.</summary>
    public async Task FinishAsync(ScsiResult result, Func<Sense, byte[]> format, CancellationToken cancellationToken)
    {
        // Unsolicited data that nobody asked for are on their way still: the tag may not be used again before they are here.
        if (_incoming is not null)
            await _incoming.WholeAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        var moved = result.Status == ScsiStatus.Good ? _wantedBytes : 0;
        if (_last is { } last)
        {
            _last = null;
            moved = _wantedBytes;
            if (result.Status == ScsiStatus.Good)
            {
                const byte hasStatus = 0x01;
                last.Header[1] |= (byte)(hasStatus | ResidualFlag(moved));
                await SendWholeAsync(last.Set(44, Residual(moved)), StatusNumber.Taken, cancellationToken).ConfigureAwait(false);
                return;
            }

            await SendWholeAsync(last, StatusNumber.None, cancellationToken).ConfigureAwait(false);
        }

        var sense = result.Sense is null ? [] : format(result.Sense);
        byte[] data = sense.Length == 0 ? [] : [(byte)(sense.Length >> 8), (byte)sense.Length, .. sense];
        var response = new OutgoingPdu(IscsiOpcode.ScsiResponse, data);
        response.Set(1, (byte)(Final | ResidualFlag(moved))).Set(3, (byte)result.Status).Set(16, Tag).Set(36, _dataSn).Set(44, Residual(moved));
        await SendWholeAsync(response, StatusNumber.Taken, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _last?.Dispose();
        _incoming?.Dispose();
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        if (_budgeted > 0)
            _budget.Return(_budgeted);
        _abort.Dispose();
    }

    private int PieceBytes => Math.Min(_parameters.SendDataBytes, SessionParameters.ReceiveDataBytes);

    /// <summary>An abort comes before a PDU or after it, never in the middle: what follows on the connection would be nonsense.</summary>
    private Task SendWholeAsync(OutgoingPdu pdu, StatusNumber number, CancellationToken abort)
    {
        if (abort.IsCancellationRequested)
        {
            pdu.Dispose();
            return Task.FromCanceled(abort);
        }

        HasAnswered |= number == StatusNumber.Taken;
        return _sender.SendAsync(pdu, number, _session);
    }

    private async ValueTask TakeBudgetAsync(int bytes, CancellationToken cancellationToken)
    {
        _budgeted = 0;
        await _budget.TakeAsync(bytes, cancellationToken).ConfigureAwait(false);
        _budgeted = bytes;
    }

    private uint Residual(long moved) => (uint)Math.Abs(moved - _expectedBytes);

    private byte ResidualFlag(long moved)
    {
        const byte overflow = 0x04;
        const byte underflow = 0x02;
        return moved > _expectedBytes ? overflow : moved < _expectedBytes ? underflow : (byte)0;
    }
}
