using System.Collections.Concurrent;

namespace Strongroom.Store.Caching;

/// <summary>Chunks that are being read: who wants the same one waits and looks into the cache again. Thread-safe.</summary>
internal sealed class ReadFlights
{
    private readonly ConcurrentDictionary<ChunkKey, TaskCompletionSource> flights = [];

    /// <summary>Null: nobody else reads it, and the caller does, until <see cref="Leave"/>. Else what ends when the other one has read it, failed or given up.</summary>
    public Task? Enter(in ChunkKey chunk)
    {
        if (flights.TryGetValue(chunk, out var known))
            return known.Task;
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var flight = flights.GetOrAdd(chunk, mine);
        return ReferenceEquals(flight, mine) ? null : flight.Task;
    }

    public void Leave(in ChunkKey chunk)
    {
        if (flights.TryRemove(chunk, out var flight))
            flight.SetResult();
    }
}
