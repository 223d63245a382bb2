using System.Collections.Concurrent;
using Strongroom.Store.Log;

namespace Strongroom.Store.Collection;

/// <summary>What a session's commit relies on: packs that it wrote or found chunks in, and the parents that it shares from. Thread-safe.</summary>
internal sealed class CommitClaims
{
    private readonly ConcurrentDictionary<uint, byte> packs = [];
    private readonly ConcurrentBag<Func<VaultState, bool>> parents = [];

    /// <summary>Packs written by the session, or referred to by deduplication.</summary>
    public IEnumerable<uint> Packs => packs.Keys;

    public void AddPack(uint packSeq)
    {
        // Nearly every call names a pack that is known: a look first keeps the writers out of each other's way.
        if (!packs.ContainsKey(packSeq))
            packs.TryAdd(packSeq, 0);
    }

    /// <param name="isHeld">Whether a live snapshot holds the parent.</param>
    public void AddParent(Func<VaultState, bool> isHeld) => parents.Add(isHeld);

    /// <summary>Why a commit does not hold at the head that <paramref name="state"/> is of; null when it holds.</summary>
    /// <remarks>
    /// A pack that was swept does not hold what the session saw there. Of a pack that was relocated only what was live then lies elsewhere, so
    /// it counts as gone, too. What is shared with a parent is live as long as the parent is: then it is there, or a table says where.
    /// </remarks>
    public string? WhyNot(VaultState state)
    {
        foreach (var pack in packs.Keys)
        {
            if (state.Collection.IsSwept(pack))
                return $"pack {pack:x8}, which the backup relies on, was removed";
            if (state.Collection.IsDoubtful(pack))
                return $"an entry of the vault's log cannot be read, and may have removed pack {pack:x8}, which the backup relies on";
        }

        return parents.All(isHeld => isHeld(state)) ? null : "the recovery point that the backup shares data with was deleted";
    }
}

/// <summary>Claims that collections of this process spare until it is disposed, or for their grace after it has ended. Thread-safe.</summary>
internal sealed class ClaimLease(Action<ClaimLease> release) : IDisposable
{
    private readonly ConcurrentDictionary<string, byte> sources = [];
    private long endedAt;

    public CommitClaims Claims { get; } = new();

    /// <summary>The journals that the session writes and reads.</summary>
    public ICollection<string> Sources => sources.Keys;

    /// <summary>When the session ended without a commit, so that another can go on with it; null while it is open.</summary>
    public DateTimeOffset? EndedAt => Volatile.Read(ref endedAt) is var at and not 0 ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;

    public void AddSource(string source) => sources.TryAdd(source, 0);

    public void End(DateTimeOffset now) => Volatile.Write(ref endedAt, now.ToUnixTimeMilliseconds());

    public void Dispose() => release(this);
}
