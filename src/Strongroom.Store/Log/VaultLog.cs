using System.Security.Cryptography;
using Strongroom.Store.Blobs;
using Strongroom.Store.Keys;

namespace Strongroom.Store.Log;

/// <summary>The vault's log: a chain of create-only entries whose creation is the only commit point. Thread-safe.</summary>
internal sealed partial class VaultLog : IDisposable
{
    private const int CheckpointEvery = 256;
    private const int GreatestAttempts = 1000;

    /// <summary>So often an entry is read before it counts as damaged: what it says may be needed, and a transfer may flip a bit.</summary>
    private const int Readings = 3;

    /// <summary>So many entries are read at the same time where it is known which are needed.</summary>
    private const int ParallelReadings = 32;

    /// <summary>Entries that may be missing in a row before a file that is no entry counts as a stray one, which must not be counted up to.</summary>
    public const int GreatestHole = 65_536;
    private readonly IBlobBackend backend;
    private readonly KeyRing ring;
    private readonly TimeProvider time;
    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly List<(long Sequence, byte[] Digest)> torn = [];
    private readonly List<LogDamage> closedDamage = [];
    private volatile IReadOnlyList<string> damage = [];
    private volatile IReadOnlyList<LogDamage> unread = [];
    private volatile IReadOnlyList<LogBreach> breaches = [];

    private long head;
    private byte[] headHash = new byte[32];
    private long lastCheckpoint;
    private long lastForeignWrite;
    private long lastOwnTime;
    private bool mustRefresh;

    private VaultLog(IBlobBackend backend, KeyRing ring, TimeProvider time)
    {
        this.backend = backend;
        this.ring = ring;
        this.time = time;
    }

    /// <summary>Random for each opening.</summary>
    public Guid WriterId { get; } = Guid.NewGuid();

    public VaultState State { get; } = new();

    public TimeProvider Time => time;

    /// <summary>The last sequence number that is taken, void ones included.</summary>
    public long Head => Volatile.Read(ref head);

    /// <summary>The newest checkpoint, where the next opening begins; 0 for none.</summary>
    public long LastCheckpoint => Volatile.Read(ref lastCheckpoint);

    /// <summary>The last entry of another writer that may have brought packs.</summary>
    public long LastForeignWrite => Volatile.Read(ref lastForeignWrite);

    /// <summary>When this writer last appended something.</summary>
    public DateTimeOffset LastOwnTime => DateTimeOffset.FromUnixTimeMilliseconds(Volatile.Read(ref lastOwnTime));

    /// <summary>The time that the next entry would have at least: the clock's, but never before the log's.</summary>
    public DateTimeOffset Now => DateTimeOffset.FromUnixTimeMilliseconds(
        Math.Max(time.GetUtcNow().ToUnixTimeMilliseconds(), State.LastTime.ToUnixTimeMilliseconds() + 1));

    public static async Task<VaultLog> OpenAsync(IBlobBackend backend, KeyRing ring, TimeProvider time, CancellationToken cancellationToken)
    {
        var log = new VaultLog(backend, ring, time);

        // A predecessor may have died between showing an entry and syncing its folder; what we act upon must last.
        await backend.SyncAsync("log/", cancellationToken);
        var sequences = new List<long>();
        await foreach (var blob in backend.ListAsync("log/", cancellationToken))
        {
            if (LogEntry.ParseName(blob.Name) is { } sequence)
                sequences.Add(sequence);
        }

        await log.ReplayAsync(sequences, cancellationToken);
        log.ShowDamage();
        return log;
    }

    /// <summary>Appends an entry durably.</summary>
    /// <param name="type">What it says.</param>
    /// <param name="makePayload">Called under the lock, before each attempt, when everything up to the head is applied; the time is the entry's.
    /// Null means that the entry is not wanted any more; an exception refuses it.</param>
    /// <param name="cancellationToken">Has no effect once the entry may be visible.</param>
    /// <returns>The entry, or null when it was not wanted.</returns>
    public async Task<LogEntry?> AppendAsync(LogEntryType type, Func<DateTimeOffset, byte[]?> makePayload, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            var entry = await AppendLockedAsync(type, makePayload, cancellationToken);
            if (entry is not null && head - lastCheckpoint >= CheckpointEvery)
                await TryCheckpointAsync();
            return entry;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Appends an entry that says nothing but that its writer is there, and how late it is.</summary>
    public Task AppendSignOfLifeAsync(CancellationToken cancellationToken) =>
        AppendAsync(LogEntryType.Reserve, _ => new PayloadWriter().UInt32(0).UInt32(0).ToArray(), cancellationToken);

    /// <summary>Applies what other writers appended.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            await RefreshLockedAsync(cancellationToken);
        }
        finally
        {
            gate.Release();
        }
    }

    public void Dispose() => gate.Dispose();

    private async Task<LogEntry?> AppendLockedAsync(LogEntryType type, Func<DateTimeOffset, byte[]?> makePayload, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < GreatestAttempts; attempt++)
        {
            if (mustRefresh)
                await RefreshLockedAsync(cancellationToken);

            if (State.Keys.IsErased)
                throw new StoreException(StoreErrorKind.Refused, "The vault's keys were destroyed on purpose. Nothing can be written to it any more.");

            // Later than the last entry even where the clock stood still or was set back: recovery points are named after this time.
            var now = Now;
            if (makePayload(now) is not { } payload)
                return null;
            if (payload.Length > LogEntry.GreatestPayloadLengthBytes)
                throw new StoreException(StoreErrorKind.InvalidRequest, $"A log entry of {payload.Length} bytes could not be read again. Nothing was written.");
            if (torn.Count > 0 && await TryCreateAsync(LogEntryType.Void, now, FormatVoid(), cancellationToken) is not null)
                CloseHole();
            if (torn.Count == 0 && await TryCreateAsync(type, now, payload, cancellationToken) is { } entry)
                return entry;
        }

        throw new StoreException(StoreErrorKind.Conflict, "Other writers keep changing the vault. Stop them, then try again.");
    }

    private async Task<LogEntry?> TryCreateAsync(LogEntryType type, DateTimeOffset now, byte[] payload, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var (bytes, entry) = LogEntry.Seal(
            ring, head + torn.Count + 1, type, headHash, WriterId, RandomNumberGenerator.GetBytes(LogEntry.SaltLengthBytes), now, payload);

        // Until the answer is in, nobody knows what the log holds; a failure leaves it to the next call to look.
        mustRefresh = true;
        if (!await backend.PutIfAbsentAsync(LogEntry.NameOf(entry.Sequence), bytes, CancellationToken.None))
            return null;
        mustRefresh = false;
        Accept(entry);
        return entry;
    }

    private void Accept(LogEntry entry)
    {
        State.Apply(entry);
        headHash = entry.Hash;
        Volatile.Write(ref head, entry.Sequence);
        if (entry.Type == LogEntryType.Checkpoint)
            Volatile.Write(ref lastCheckpoint, entry.Sequence);
        if (entry.Type == LogEntryType.Accept)
            ShowDamage();
        if (entry.WriterId == WriterId)
            Volatile.Write(ref lastOwnTime, entry.Time.ToUnixTimeMilliseconds());
        else if (entry.Type is LogEntryType.Reserve or LogEntryType.Commit)
            Volatile.Write(ref lastForeignWrite, entry.Sequence);
    }

    private async Task TryCheckpointAsync()
    {
        // One that no reader would take is not written: opening stays possible, if slower. Nor is one over damage: who opens from there would
        // neither see the damage nor, once it is mended, what the entry said.
        if (damage.Count > 0 || State.FormatCheckpoint().Length > LogEntry.GreatestPayloadLengthBytes / 2)
            return;
        try
        {
            await AppendLockedAsync(LogEntryType.Checkpoint, _ => damage.Count > 0 ? null : State.FormatCheckpoint(), CancellationToken.None);
        }
        catch (StoreException)
        {
            // It only makes the next opening faster, and what the caller appended is committed already.
        }
    }

    private async Task RefreshLockedAsync(CancellationToken cancellationToken)
    {
        while (await ReadAsync(head + torn.Count + 1, cancellationToken) is { } bytes)
            Take(head + torn.Count + 1, bytes);
        ShowDamage();
        await backend.SyncAsync("log/", cancellationToken);
        mustRefresh = false;
    }

    /// <summary>Applies the entry at the place after the head and the unreadable ones that follow it, or counts it among those.</summary>
    /// <remarks>A visible blob is whole, so an entry that does not verify was one: what it named may be needed, wherever in the log it stands.</remarks>
    private void Take(long sequence, byte[]? bytes)
    {
        if (bytes is null || !LogEntry.TryOpen(ring, sequence, bytes, out var entry))
        {
            Unreadable++;
            DoubtPacks();
            torn.Add((sequence, bytes is null ? new byte[32] : SHA256.HashData(bytes)));
            return;
        }

        if (torn.Count > 0)
            CloseHole();
        else if (head > 0 && !entry.PreviousHash.AsSpan().SequenceEqual(headHash) && !IsMended(entry))
            closedDamage.Add(new(sequence, sequence, $"log entry {sequence} does not follow entry {head}"));
        Accept(entry);
    }

    /// <summary>The bytes of an entry, or null where none is. They are read anew where they do not verify.</summary>
    private async Task<byte[]?> ReadAsync(long sequence, CancellationToken cancellationToken)
    {
        var name = LogEntry.NameOf(sequence);
        for (var reading = 1; ; reading++)
        {
            if (await BlobCopy.ReadAsync(backend, name, LogEntry.GreatestLengthBytes, cancellationToken) is not { } bytes)
                return null;
            if (reading == Readings || LogEntry.TryOpen(ring, sequence, bytes, out _))
                return bytes;
        }
    }
}
