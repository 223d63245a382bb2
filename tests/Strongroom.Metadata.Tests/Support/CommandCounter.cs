using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Strongroom.Metadata.Tests.Support;

/// <summary>Counts the commands that a database gets.</summary>
internal sealed class CommandCounter : DbCommandInterceptor
{
    private int _commands;

    /// <summary>How many commands some work sends.</summary>
    public async Task<int> CountAsync(Func<Task> work)
    {
        var before = Volatile.Read(ref _commands);
        await work();
        return Volatile.Read(ref _commands) - before;
    }

    public override DbCommand CommandInitialized(CommandEndEventData eventData, DbCommand result)
    {
        Interlocked.Increment(ref _commands);
        return base.CommandInitialized(eventData, result);
    }
}
