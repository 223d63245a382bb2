using System.Buffers;
using Strongroom.Blocks.Iscsi.Login;
using Strongroom.Blocks.Iscsi.Pdus;
using Strongroom.Blocks.Iscsi.Scsi;

namespace Strongroom.Blocks.Iscsi.Sessions;

/// <summary>The data that a writing command brings: first what comes unasked, then burst by burst what an R2T asked for. In order, as negotiated.</summary>
/// <remarks>Filled by the connection's reader, emptied by the task.</remarks>
internal sealed class IncomingData : IDisposable
{
    private readonly Lock _lock = new();
    private readonly byte[] _first;
    private TaskCompletionSource _whole = NewSource(); // guarded by _lock
    private Memory<byte> _target; // guarded by _lock
    private uint _transferTag = Pdu.NoTag; // guarded by _lock
    private uint _nextTag; // guarded by _lock
    private uint _dataSn; // guarded by _lock
    private int _start; // guarded by _lock; offset of the target in the command's data
    private int _received; // guarded by _lock; bytes in the target
    private bool _hasGap; // guarded by _lock
    private bool _isDisposed; // guarded by _lock

    /// <exception cref="IscsiProtocolException">The command's own data are not as agreed.</exception>
    public IncomingData(Pdu command, SessionParameters parameters, int expectedBytes)
    {
        var isWhole = command.IsFinal;
        if (command.Data.Length > 0 && !parameters.HasImmediateData)
            throw new IscsiProtocolException("Immediate data came where none were agreed on.");
        if (!isWhole && parameters.HasInitialR2T)
            throw new IscsiProtocolException("Unsolicited data were announced where none were agreed on.");
        var most = Math.Min(expectedBytes, parameters.FirstBurstBytes);
        if (command.Data.Length > most)
            throw new IscsiProtocolException("More immediate data came than the first burst may have.");
        var room = isWhole ? command.Data.Length : most;
        _first = room == 0 ? [] : ArrayPool<byte>.Shared.Rent(room);
        _target = _first.AsMemory(0, room);
        command.Data.CopyTo(_target);
        _received = command.Data.Length;
        if (isWhole)
            _whole.SetResult();
    }

    /// <summary>The burst that is under way is complete.</summary>
    /// <exception cref="ScsiException">Its numbers were not those that were due.</exception>
    public Task WholeAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            return _whole.Task.WaitAsync(cancellationToken);
    }

    /// <summary>What came unasked; returns how much of it there was room for.</summary>
    public int MoveTo(Memory<byte> target)
    {
        lock (_lock)
        {
            var length = Math.Min(_received, target.Length);
            _first.AsMemory(0, length).CopyTo(target);
            return length;
        }
    }

    /// <summary>A burst is asked for next.</summary>
    /// <returns>The transfer tag for its R2T.</returns>
    public uint Expect(Memory<byte> target, int offset)
    {
        lock (_lock)
        {
            _whole = NewSource();
            (_target, _start, _received, _dataSn) = (target, offset, 0, 0);
            _transferTag = _nextTag++;
            return _transferTag;
        }
    }

    /// <exception cref="IscsiProtocolException">It is not the PDU that is due.</exception>
    public void Take(Pdu data)
    {
        lock (_lock)
        {
            if (_isDisposed)
                return;
            if (_whole.Task.IsCompleted || data.TargetTransferTag != _transferTag)
                throw new IscsiProtocolException("Data came that nobody asked for.");

            // A gap in the numbers fails the command (RFC 7143, 11.4.7.2); the burst's other data are dropped.
            _hasGap |= data.Number(36) != _dataSn++;
            if (_hasGap)
            {
                if (data.IsFinal)
                    _whole.SetException(new ScsiException(Sense.DataPhaseError));
                return;
            }

            if (data.Number(40) != (uint)(_start + _received))
                throw new IscsiProtocolException("Data came out of order.");
            if (data.Data.Length > _target.Length - _received)
                throw new IscsiProtocolException("More data came than were asked for.");
            data.Data.CopyTo(_target[_received..]);
            _received += data.Data.Length;
            if (!data.IsFinal)
                return;

            // Unsolicited data may end early; a burst that was asked for may not.
            if (_transferTag != Pdu.NoTag && _received < _target.Length)
                throw new IscsiProtocolException("Fewer data came than were asked for.");
            _whole.SetResult();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            _target = default;
            if (_first.Length > 0)
                ArrayPool<byte>.Shared.Return(_first);
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
