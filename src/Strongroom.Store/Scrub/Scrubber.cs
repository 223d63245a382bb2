using Strongroom.Store.Blobs;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Scrub;

/// <summary>One scrub: reads packs in sequence, those first of which the oldest or no verification is known, and keeps the ledger. Backups, restores and collections go on meanwhile.</summary>
/// <remarks>A crash costs what was verified since the ledger was last written: a minute, or 64 packs.</remarks>
internal sealed class Scrubber(VaultStore vault, ScrubOptions options, IProgress<ScrubProgress>? progress)
{
    private const int PacksPerSave = 64;
    private static readonly TimeSpan SaveEvery = TimeSpan.FromMinutes(1);
    private readonly ScrubLedger ledger = new(vault.Packs.Backend, vault.Packs.Ring);
    private readonly Dictionary<uint, string> damaged = [];
    private readonly TimeProvider time = vault.Log.Time;
    private readonly TokenBucket? budget = options.BudgetBytesPerSecond is { } rate ? new(rate, vault.Log.Time) : null;
    private int packsRead;
    private long bytesRead;
    private int released;

    public async Task<ScrubReport> RunAsync(CancellationToken cancellationToken)
    {
        vault.Manifests.Clear();
        await vault.Log.RefreshAsync(cancellationToken);
        await ledger.LoadAsync(cancellationToken);
        var packs = await vault.RefreshPacksAsync(cancellationToken);
        try
        {
            await ReadPacksAsync(packs, cancellationToken);
        }
        finally
        {
            if (ledger.IsDirty)
                await SaveAsync(CancellationToken.None);
        }

        return await ReportAsync(cancellationToken);
    }

    private async Task ReadPacksAsync(IReadOnlyList<PackInfo> packs, CancellationToken cancellationToken)
    {
        var due = Due(packs);
        var bytesDue = due.Sum(pack => pack.LengthBytes);
        var started = time.GetTimestamp();
        var savedAt = started;
        var unsaved = 0;
        foreach (var pack in due)
        {
            if (bytesRead >= options.MaxBytes || (options.Duration is { } limit && time.GetElapsedTime(started) >= limit))
                return;
            if (budget is not null)
                await budget.TakeAsync(pack.LengthBytes, cancellationToken);
            await ScrubAsync(pack, cancellationToken);
            packsRead++;
            bytesRead += pack.LengthBytes;
            progress?.Report(new(packsRead, due.Count, bytesRead, bytesDue));
            if (++unsaved < PacksPerSave && time.GetElapsedTime(savedAt) < SaveEvery)
                continue;
            await SaveAsync(cancellationToken);
            (unsaved, savedAt) = (0, time.GetTimestamp());
        }
    }

    /// <summary>Doubtful packs first, then those that were never verified, then by the age of their verification.</summary>
    private List<PackInfo> Due(IReadOnlyList<PackInfo> packs)
    {
        var newest = (vault.Log.Now - options.OlderThan).ToUnixTimeMilliseconds();
        return
        [
            .. packs
                .Select(pack => (Pack: pack, At: IsDoubtful(pack.PackSeq) ? long.MinValue : VerifiedAt(pack.PackSeq)))
                .Where(one => one.At <= newest)
                .OrderBy(one => one.At)
                .ThenBy(one => one.Pack.PackSeq)
                .Select(one => one.Pack),
        ];
    }

    private bool IsDoubtful(uint pack) => vault.Log.State.Quarantine.Contains(pack) || vault.Packs.Suspects.All.ContainsKey(pack);

    private long VerifiedAt(uint pack)
    {
        var line = ledger.Lines.GetValueOrDefault(pack);
        return line.IsDamaged ? 0 : options.Deep ? line.OpenedAt : line.DigestAt;
    }

    private async Task ScrubAsync(PackInfo pack, CancellationToken cancellationToken)
    {
        // What failed once is believed again only after every chunk was opened.
        var isDeep = options.Deep || IsDoubtful(pack.PackSeq);
        try
        {
            try
            {
                await CheckAsync(pack, isDeep, cancellationToken);
            }
            catch (StoreException failure) when (failure.Kind == StoreErrorKind.Corrupt)
            {
                // Memory and cables err, too; a pack is given up only when it is wrong twice.
                await CheckAsync(pack, isDeep: true, cancellationToken);
            }
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            await vault.Log.RefreshAsync(cancellationToken);
            if (vault.Log.State.Collection.IsSwept(pack.PackSeq))
                return;
            damaged[pack.PackSeq] = failure.What;
            await vault.QuarantineAsync([pack.PackSeq], cancellationToken);
            ledger.Set(pack.PackSeq, new(true, NowMilliseconds(), 0));
            return;
        }

        var opened = ledger.Lines.GetValueOrDefault(pack.PackSeq).OpenedAt;
        ledger.Set(pack.PackSeq, new(false, NowMilliseconds(), isDeep ? NowMilliseconds() : opened));
        if (vault.Log.State.Quarantine.Contains(pack.PackSeq))
        {
            await vault.ReleaseAsync([pack.PackSeq], cancellationToken);
            released++;
        }
    }

    private Task CheckAsync(PackInfo pack, bool isDeep, CancellationToken cancellationToken) => isDeep
        ? new PackCheck(vault.Packs, pack.Content, pack.PackSeq).RunAsync(readData: true, cancellationToken)
        : PackDigest.CheckAsync(vault.Packs.Backend, pack.Content, pack.PackSeq, vault.VaultId, null, cancellationToken);

    private Task SaveAsync(CancellationToken cancellationToken) => ledger.SaveAsync(
        pack => vault.PackSet.Find(pack) is not null || vault.Log.State.Quarantine.Contains(pack), cancellationToken);

    private async Task<ScrubReport> ReportAsync(CancellationToken cancellationToken)
    {
        var snapshots = vault.Log.State.Snapshots.AllLive.ToList();
        await vault.RefreshPacksAsync(cancellationToken);
        var walk = new HealthWalk(vault, ledger.Lines);
        var health = await walk.RunAsync(snapshots, cancellationToken);
        var missing = await ConfirmMissingAsync(walk.Missing, cancellationToken);
        if (missing.Count > 0)
            await vault.QuarantineAsync(missing, cancellationToken);
        var packs = vault.PackSet.ToList();
        var verified = packs.Select(pack => ledger.Lines.GetValueOrDefault(pack.PackSeq)).Where(line => line is { IsDamaged: false, DigestAt: > 0 }).ToList();
        return new(
            packsRead,
            bytesRead,
            packs.Count,
            verified.Count,
            verified.Count == packs.Count && packs.Count > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(verified.Min(line => line.DigestAt)) : null,
            [.. vault.Log.State.Quarantine.Packs.Numbers.Select(Describe)],
            released,
            [.. health.Where(one => vault.Log.State.Snapshots.IsLive(one.Id))],
            vault.Log.Damage);
    }

    private DamagedPack Describe(uint pack) => new(
        pack,
        damaged.TryGetValue(pack, out var what) ? what : vault.PackSet.Find(pack) is null ? $"Pack {pack:x8} is missing" : $"Pack {pack:x8} is in quarantine");

    /// <summary>What is not there after another look at the storage and at the log: another process may have written it, or collected it, meanwhile.</summary>
    private async Task<List<uint>> ConfirmMissingAsync(IReadOnlyDictionary<uint, PackContent> missing, CancellationToken cancellationToken)
    {
        var confirmed = new List<uint>();
        if (missing.Count > 0)
            await vault.Log.RefreshAsync(cancellationToken);
        foreach (var (pack, content) in missing)
        {
            if (!vault.Log.State.Collection.IsSwept(pack)
                && await BlobCopy.FindLengthBytesAsync(vault.Packs.Backend, PackFormat.NameOf(content, pack), cancellationToken) is null)
                confirmed.Add(pack);
        }

        return confirmed;
    }

    private long NowMilliseconds() => vault.Log.Now.ToUnixTimeMilliseconds();
}
