using Strongroom.Blocks.Iscsi.Pdus;
using Strongroom.Blocks.Iscsi.Scsi;

namespace Strongroom.Blocks.Iscsi.Sessions;

/// <summary>The SCSI commands of a session that are under way. Started and fed by the reader; aborted by anybody.</summary>
internal sealed class TaskSet(IscsiSession session, CommandWindow window, PduSender sender, IscsiServerOptions options)
{
    private const int Ordered = 2;
    private const int HeadOfQueue = 3;

    /// <summary>A command is out of the window a moment before it is out of this set; and there are immediate ones.</summary>
    private const int Slack = 32;

    private readonly MemoryBudget _budget = new(Math.Max(options.BytesInFlight, LogicalUnit.MostTransferBytes));
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, IscsiTask> _tasks = []; // guarded by _lock
    private Task _barrier = Task.CompletedTask; // guarded by _lock
    private bool _isEnded; // guarded by _lock

    /// <exception cref="IscsiProtocolException">The command is not as agreed, its tag is in use, or there are too many.</exception>
    public void Start(Pdu command)
    {
        var task = new IscsiTask(command, session.Parameters, sender, _budget, session.Stopping);
        lock (_lock)
        {
            if (_isEnded || _tasks.Count >= options.QueueDepth + Slack || !_tasks.TryAdd(task.Tag, task))
            {
                task.Dispose();
                throw _tasks.Count >= options.QueueDepth + Slack
                    ? new IscsiProtocolException("The initiator sent more commands than it may.", RejectReason.TooManyImmediateCommands)
                    : new IscsiProtocolException("The initiator used a task tag that is in use.");
            }

            // An ordered task runs after all before it and before all after it (SAM-5, 8.6).
            var before = task.Attribute switch
            {
                Ordered => Task.WhenAll([_barrier, .. _tasks.Values.Where(other => other != task).Select(other => other.Running)]),
                HeadOfQueue => Task.CompletedTask,
                _ => _barrier,
            };
            task.Running = Task.Run(() => RunAsync(task, before), CancellationToken.None);
            if (task.Attribute == Ordered)
                _barrier = task.Running;
        }
    }

    /// <summary>Gives a Data-Out PDU to its task. Data of a task that was aborted are dropped.</summary>
    /// <exception cref="IscsiProtocolException">It is not the PDU that is due.</exception>
    public void Take(Pdu data)
    {
        lock (_lock)
        {
            if (_tasks.TryGetValue(data.InitiatorTaskTag, out var task))
                task.Take(data);
        }
    }

    /// <summary>Aborts tasks and waits until they are gone; returns how many of them send no status.</summary>
    public async Task<int> AbortAsync(Func<IscsiTask, bool> which)
    {
        List<IscsiTask> found;
        List<Task> cancelling;
        lock (_lock)
        {
            found = [.. _tasks.Values.Where(which)];
            cancelling = [.. found.Select(task => task.AbortAsync())];
        }

        await Task.WhenAll(cancelling).ConfigureAwait(false);
        await Task.WhenAll(found.Select(task => task.Running)).ConfigureAwait(false);
        return found.Count(task => !task.HasAnswered);
    }

    public async Task EndAsync()
    {
        lock (_lock)
            _isEnded = true;
        await AbortAsync(static _ => true).ConfigureAwait(false);
    }

    private async Task RunAsync(IscsiTask task, Task before)
    {
        var isFreed = task.IsImmediate;
        try
        {
            await before.WaitAsync(task.Aborted).ConfigureAwait(false);
            var unit = task.Unit is { } number ? session.Units.GetValueOrDefault(number) : null;
            var command = new ScsiCommand(task.Cdb, session.Nexus, unit!, task);
            var result = unit is null
                ? await MissingUnit.ExecuteAsync(command, [.. session.Units.Keys.Order()], task.Aborted).ConfigureAwait(false)
                : await unit.ExecuteAsync(command, task.Aborted).ConfigureAwait(false);
            if (!isFreed)
                window.Free();
            isFreed = true;
            await task.FinishAsync(result, sense => unit?.FormatSense(sense) ?? sense.Format(), task.Aborted).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Aborted: no status is sent.
        }
        catch (Exception failure)
        {
            // The connection is gone, or something is wrong with us; either way the session cannot go on.
            if (failure is not IOException and not ObjectDisposedException)
                options.OnFailure(failure);
            session.Stop();
        }
        finally
        {
            lock (_lock)
            {
                _tasks.Remove(task.Tag);
                task.Dispose();
            }

            if (!isFreed)
                window.Free();
        }
    }
}
