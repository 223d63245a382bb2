using System.Buffers;
using System.IO.Hashing;
using Strongroom.Store.Blobs;
using Strongroom.Store.Collection;
using Strongroom.Store.Packs;
using Strongroom.Store.Scrub;

namespace Strongroom.Store.Healing;

/// <summary>Puts back packs that are in quarantine or missing, and relocation tables.</summary>
internal sealed class PackHealing(VaultStore vault, IBlobBackend replica)
{
    /// <summary>So long ago that only what is doubtful is due.</summary>
    private static readonly TimeSpan Ever = TimeSpan.FromDays(365 * 200);
    private readonly Dictionary<uint, string> unhealed = [];

    private IBlobBackend Backend => vault.Packs.Backend;

    /// <summary>Packs that the replica has not, or has damaged, and what to say of them.</summary>
    public IReadOnlyDictionary<uint, string> Unhealed => unhealed;

    public async Task HealTablesAsync(Action<string> note, CancellationToken cancellationToken)
    {
        foreach (var id in vault.Log.State.Collection.TablesInOrder)
        {
            if (await IsWholeAsync(Backend, id, cancellationToken) || !await IsWholeAsync(replica, id, cancellationToken))
                continue;
            await Backend.DeleteAsync(id.Name, cancellationToken);
            await BlobCopy.CopyAsync(replica, Backend, id.Name, cancellationToken);
            note(id.Name);
        }
    }

    public async Task HealPacksAsync(Action<string> note, CancellationToken cancellationToken)
    {
        // What a damaged node leads to is seen only when that is whole again: so until nothing more is put back.
        var isMending = true;
        while (isMending)
            isMending = await HealKnownAsync(note, cancellationToken);
    }

    /// <summary>False when nothing was put back.</summary>
    private async Task<bool> HealKnownAsync(Action<string> note, CancellationToken cancellationToken)
    {
        // Releases what is whole after all, and puts what is missing in quarantine.
        await vault.ScrubAsync(new() { OlderThan = Ever }, null, cancellationToken);
        unhealed.Clear();
        var hasMended = false;
        foreach (var pack in vault.Log.State.Quarantine.Packs.Numbers.ToList())
        {
            // It may have come into quarantine while nobody could read that it was swept.
            await vault.Log.RefreshAsync(cancellationToken);
            if (vault.Log.State.Collection.IsSwept(pack))
            {
                await vault.ReleaseAsync([pack], cancellationToken);
                continue;
            }

            if (await FindAsync(pack, cancellationToken) is not { } content)
            {
                unhealed[pack] = $"Pack {pack:x8} is damaged or missing, in the replica as well";
                continue;
            }

            await ReplaceAsync(content, pack, cancellationToken);
            await vault.ReleaseAsync([pack], cancellationToken);
            note(PackFormat.NameOf(content, pack));
            hasMended = true;
        }

        return hasMended;
    }

    /// <summary>What the replica's pack of that number holds, when every frame of it opens; else null.</summary>
    private async Task<PackContent?> FindAsync(uint pack, CancellationToken cancellationToken)
    {
        var theirs = new PackReader(replica, vault.Packs.Ring, vault.Packs.Codecs);
        foreach (var content in (PackContent[])[PackContent.Data, PackContent.Nodes])
        {
            if (vault.PackSet.Find(pack) is { } known && known.Content != content)
                continue;
            try
            {
                await new PackCheck(theirs, content, pack).RunAsync(readData: true, cancellationToken);
                return content;
            }
            catch (StoreException failure) when (failure.IsDamage)
            {
                // The other folder may have it.
            }
        }

        return null;
    }

    /// <summary>The good pack is written and read back before the bad one is deleted, and gets the name at once after it.</summary>
    private async Task ReplaceAsync(PackContent content, uint pack, CancellationToken cancellationToken)
    {
        var name = PackFormat.NameOf(content, pack);
        await using var writer = await Backend.CreateAsync(name, cancellationToken);
        var sent = new XxHash128();
        var length = await PackDigest.CheckAsync(
            replica,
            content,
            pack,
            vault.VaultId,
            data =>
            {
                sent.Append(data.Span);
                return writer.AppendAsync(data, cancellationToken);
            },
            cancellationToken);
        await writer.FlushAsync(cancellationToken);
        if (!(await HashBackAsync(writer, cancellationToken)).AsSpan().SequenceEqual(sent.GetHashAndReset()))
            throw new StoreException(StoreErrorKind.Io, $"The storage does not give back what was written to it for pack {pack:x8}. The damaged pack was not touched.");
        await Backend.DeleteAsync(name, cancellationToken);
        if (!await writer.CommitAsync(CancellationToken.None))
            throw new StoreException(StoreErrorKind.Conflict, "Somebody else heals the vault. Stop that, then heal again.");
        vault.PackSet.Remove(pack);
        vault.PackSet.Add(content, pack, length);
        await new PackCheck(vault.Packs, content, pack).RunAsync(readData: true, cancellationToken);
    }

    private static async Task<byte[]> HashBackAsync(IBlobWriter writer, CancellationToken cancellationToken)
    {
        var hash = new XxHash128();
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        try
        {
            for (var at = 0L; at < writer.LengthBytes;)
            {
                var read = await writer.ReadBackAsync(at, buffer, cancellationToken);
                if (read == 0)
                    break;
                hash.Append(buffer.AsSpan(0, read));
                at += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return hash.GetHashAndReset();
    }

    private async Task<bool> IsWholeAsync(IBlobBackend backend, RelocationTableId id, CancellationToken cancellationToken)
    {
        try
        {
            await (await RelocationTable.OpenAsync(backend, vault.Packs.Ring, id, cancellationToken)).VerifyAsync(cancellationToken);
            return true;
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            return false;
        }
    }
}
