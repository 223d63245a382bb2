using System.Globalization;
using Strongroom.Store.Keys;

namespace Strongroom.Store.Scrub;

/// <summary>When each pack was last verified. Lost, it costs knowledge and nothing else. Not for concurrent use; several processes may keep it at once.</summary>
internal sealed class ScrubLedger(IBlobBackend backend, KeyRing ring)
{
    public const string Folder = "scrub/";
    private const int Attempts = 16;
    private const int GreatestLengthBytes = 1 << 30;
    private readonly Dictionary<uint, LedgerLine> lines = [];
    private long newest;

    public IReadOnlyDictionary<uint, LedgerLine> Lines => lines;

    public bool IsDirty { get; private set; }

    /// <summary>Takes what all ledgers that are there know.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        foreach (var name in await ListAsync(cancellationToken))
            await TakeAsync(name, cancellationToken);
    }

    public void Set(uint pack, LedgerLine line)
    {
        lines[pack] = line;
        IsDirty = true;
    }

    /// <summary>Writes all that is known of packs that are there under the next number, and then deletes older ledgers, of which it holds everything.</summary>
    public async Task SaveAsync(Func<uint, bool> isThere, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            // Another scrub may have written meanwhile; what it knows must not be deleted with its ledger.
            var older = await ListAsync(cancellationToken);
            foreach (var name in older.Where(name => NumberOf(name) > newest))
                await TakeAsync(name, cancellationToken);
            foreach (var gone in lines.Keys.Where(pack => !isThere(pack)).ToList())
                lines.Remove(gone);
            var next = Math.Max(newest, older.Select(NumberOf).DefaultIfEmpty().Max()) + 1;
            if (!await backend.PutIfAbsentAsync(NameOf(next), LedgerFormat.Seal(ring, lines), cancellationToken))
                continue;
            newest = next;
            IsDirty = false;
            foreach (var name in older)
                await backend.DeleteAsync(name, cancellationToken);
            return;
        }
    }

    private static string NameOf(long number) => string.Create(CultureInfo.InvariantCulture, $"{Folder}{number:D20}");

    private static long NumberOf(string name) =>
        long.TryParse(name.AsSpan(Folder.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < long.MaxValue ? number : 0;

    private async Task<List<string>> ListAsync(CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await foreach (var blob in backend.ListAsync(Folder, cancellationToken))
        {
            if (NumberOf(blob.Name) > 0 && blob.LengthBytes <= GreatestLengthBytes)
                names.Add(blob.Name);
        }

        return names;
    }

    private async Task TakeAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var blob = new byte[await backend.GetLengthAsync(name, cancellationToken) ?? 0];
            var read = await backend.ReadAsync(name, 0, blob, cancellationToken);
            LedgerFormat.TryOpen(ring, blob.AsSpan(0, read), lines);
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            // Deleted by another scrub, whose newer ledger holds all of it.
        }

        newest = Math.Max(newest, NumberOf(name));
    }
}
