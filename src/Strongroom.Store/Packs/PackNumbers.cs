using Strongroom.Store.Log;

namespace Strongroom.Store.Packs;

/// <summary>Numbers for the packs of one process: reserved in the log a few at a time, given out one by one. Thread-safe.</summary>
/// <param name="log">Where they are reserved.</param>
/// <param name="greatestTaken">The greatest number that may be taken; called under the log's lock.</param>
internal sealed class PackNumbers(VaultLog log, Func<ulong> greatestTaken) : IDisposable
{
    /// <summary>Pack numbers that a process reserves first; twice as many each further time. Most processes write few packs, and numbers are 32 bits.</summary>
    private const uint FirstReservation = 16;
    private static readonly TimeSpan SignOfLife = TimeSpan.FromHours(1);
    private readonly SemaphoreSlim gate = new(1, 1);
    private uint nextPackSeq;
    private uint reservedEnd;
    private uint nextReservation = FirstReservation;

    /// <summary>A number that no other pack of this vault has or will have.</summary>
    public async ValueTask<uint> TakeAsync(CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            // Numbers that an entry that cannot be read may have swept are given up.
            if (nextPackSeq != reservedEnd && !log.State.Collection.IsDoubtful(nextPackSeq))
            {
                await ShowLifeAsync(cancellationToken);
            }
            else
            {
                var (first, count) = (0u, nextReservation);
                await log.AppendAsync(
                    LogEntryType.Reserve,
                    _ =>
                    {
                        // Not below a pack that is there, nor in what an entry that cannot be read may have reserved: a damaged log must not
                        // lead to a second pack of that number.
                        var greatest = greatestTaken();
                        if (greatest > uint.MaxValue - count - 1)
                            throw StoreException.Corrupt($"No pack can follow number {greatest:x8}: if no server wrote it, move that file out of the vault");
                        first = (uint)greatest + 1;
                        return new PayloadWriter().UInt32(first).UInt32(count).ToArray();
                    },
                    cancellationToken);
                nextPackSeq = first;
                reservedEnd = first + count;
                nextReservation = Math.Min(count * 2, PackNumberState.GreatestReservation);
            }

            return nextPackSeq++;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>A slow backup would look dead to collections of other processes, which then take its packs.</summary>
    private async ValueTask ShowLifeAsync(CancellationToken cancellationToken)
    {
        if (log.Now - log.LastOwnTime >= SignOfLife)
            await log.AppendSignOfLifeAsync(cancellationToken);
    }

    public void Dispose() => gate.Dispose();
}
