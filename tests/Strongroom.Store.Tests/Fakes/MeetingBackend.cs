using System.Collections.Concurrent;

namespace Strongroom.Store.Tests.Fakes;

/// <summary>One process's way to a storage that others change at a given step of it, once.</summary>
internal sealed class MeetingBackend : BentBackend
{
    /// <summary>What happens right before a blob is put, and which.</summary>
    public (string Name, Func<Task> Meanwhile)? BeforePut { get; set; }

    /// <summary>What happens right after a blob was put, and which.</summary>
    public (string Name, Func<Task> Meanwhile)? AfterPut { get; set; }

    /// <summary>Puts and syncs, in order.</summary>
    public ConcurrentQueue<string> Steps { get; } = new();

    public override async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (BeforePut is { } before && before.Name == name)
        {
            BeforePut = null;
            await before.Meanwhile();
        }

        Steps.Enqueue($"put {name}");
        var isDone = await base.PutIfAbsentAsync(name, content, cancellationToken);
        if (AfterPut is { } after && after.Name == name)
        {
            AfterPut = null;
            await after.Meanwhile();
        }

        return isDone;
    }

    public override ValueTask SyncAsync(string prefix, CancellationToken cancellationToken)
    {
        Steps.Enqueue($"sync {prefix}");
        return base.SyncAsync(prefix, cancellationToken);
    }
}
