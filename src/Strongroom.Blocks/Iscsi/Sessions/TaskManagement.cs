using Strongroom.Blocks.Iscsi.Pdus;
using Strongroom.Blocks.Iscsi.Scsi;

namespace Strongroom.Blocks.Iscsi.Sessions;

/// <summary>A task management request (RFC 7143, 11.5 and 11.6). What it aborts sends no status.</summary>
internal sealed class TaskManagement
{
    private const byte Complete = 0;
    private const byte NoSuchTask = 1;
    private const byte NoSuchUnit = 2;
    private const byte NoReassignment = 4;
    private const byte NotSupported = 5;

    private readonly IscsiSession _session;
    private readonly int _function;
    private readonly uint _tag;
    private readonly uint _referenced;
    private readonly byte? _number;

    /// <summary>The request's memory is not used after this.</summary>
    public TaskManagement(IscsiSession session, Pdu request)
    {
        _session = session;
        _function = request.Flags & 0x7f;
        _tag = request.InitiatorTaskTag;
        _referenced = request.Number(20);
        _number = UnitAddress.Parse(request.Lun);
    }

    public async Task RunAsync()
    {
        var answer = await PerformAsync().ConfigureAwait(false);
        await _session.SendAsync(new OutgoingPdu(IscsiOpcode.TaskManagementResponse).Set(2, answer).Set(16, _tag), StatusNumber.Taken).ConfigureAwait(false);

        // "As if power had been switched on": all sessions end.
        if (_function == 7)
        {
            foreach (var session in await _session.Target!.SessionsAsync(null).ConfigureAwait(false))
                session.Stop();
        }
    }

    private async Task<byte> PerformAsync()
    {
        switch (_function)
        {
            case 1: // ABORT TASK
                return await _session.Tasks.AbortAsync(task => task.Tag == _referenced).ConfigureAwait(false) > 0 ? Complete : NoSuchTask;
            case 2: // ABORT TASK SET
                return await ForUnitAsync(unit => AbortAsync(unit, ofThisSessionOnly: true)).ConfigureAwait(false);
            case 4: // CLEAR TASK SET
                return await ForUnitAsync(unit => AbortAsync(unit, ofThisSessionOnly: false)).ConfigureAwait(false);
            case 5: // LOGICAL UNIT RESET
                return await ForUnitAsync(ResetAsync).ConfigureAwait(false);
            case 6 or 7: // TARGET WARM RESET, TARGET COLD RESET
                foreach (var unit in _session.Units.Values)
                    await ResetAsync(unit).ConfigureAwait(false);
                return Complete;
            case 8: // TASK REASSIGN
                return NoReassignment;
            default:
                return NotSupported;
        }
    }

    private async Task<byte> ForUnitAsync(Func<LogicalUnit, Task> act)
    {
        if (_number is not { } number || !_session.Units.TryGetValue(number, out var unit))
            return NoSuchUnit;
        await act(unit).ConfigureAwait(false);
        return Complete;
    }

    private async Task ResetAsync(LogicalUnit unit)
    {
        await AbortAsync(unit, ofThisSessionOnly: false).ConfigureAwait(false);
        unit.Reset();
    }

    private async Task AbortAsync(LogicalUnit unit, bool ofThisSessionOnly)
    {
        var sessions = ofThisSessionOnly ? [_session] : await _session.Target!.SessionsAsync(unit).ConfigureAwait(false);
        foreach (var session in sessions)
            await session.Tasks.AbortAsync(task => task.Unit is { } number && session.Units.GetValueOrDefault(number) == unit).ConfigureAwait(false);
    }
}
