using System.Collections.Concurrent;
using Strongroom.Store.Images;
using Strongroom.Store.Journals;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store;

/// <summary>Journals of the images that are being written, by which a later session goes on where this one died.</summary>
public sealed partial class StoreSession
{
    private const int GreatestTokenLength = 1024;

    /// <summary>Leaves that may wait for open packs: 8 GiB of an image in which little changed.</summary>
    private const int GreatestWaitingLeaves = 128;
    private readonly ConcurrentBag<ImageJournal> journals = [];

    private async Task<ImageJournal?> OpenJournalAsync(IImageSource source, ImageRef? parent, CancellationToken cancellationToken)
    {
        if (source.ResumeToken is not { } token)
            return null;
        if (token.Length is 0 or > GreatestTokenLength)
            throw new StoreException(StoreErrorKind.InvalidRequest, $"A source's resume token has 1 to {GreatestTokenLength} characters.");
        var journal = await ImageJournal.OpenAsync(vault, token, source.LengthBytes, parent, cancellationToken);
        journals.Add(journal);
        lease.AddSource(journal.Source);
        return journal;
    }

    /// <summary>Notes a leaf. Where packs fill so slowly that much would have to be read again, they are closed early.</summary>
    private async ValueTask NoteAsync(ImageJournal journal, LeafWork leaf, CancellationToken cancellationToken)
    {
        await journal.AddAsync(leaf, cancellationToken);
        if (journal.WaitingLeaves > GreatestWaitingLeaves)
        {
            foreach (var lane in dataLanes)
                await lane.CloseAsync(cancellationToken);
        }
    }

    /// <summary>A session that ends without a commit notes what is durable. Open packs are given up: a write to one may have been broken off.</summary>
    private async Task LeaveJournalsAsync()
    {
        foreach (var lane in dataLanes)
            await lane.WhenSealedAsync();
        await FlushJournalsAsync(1);
    }

    private async ValueTask FlushJournalsAsync(int least)
    {
        foreach (var journal in journals)
            await journal.FlushAsync(least, CancellationToken.None);
    }

    private async Task RemoveJournalsAsync()
    {
        foreach (var journal in journals)
        {
            await journal.RemoveAsync();
            vault.ForgetEnded(journal.Source);
        }
    }

    private async ValueTask<bool> TryRelyOnAsync(Slot chunk, CancellationToken cancellationToken)
    {
        if (!vault.IsDedupPack(chunk.PackSeq))
            return false;
        var directory = await vault.Packs.GetDirectoryAsync(PackContent.Data, chunk.PackSeq, cancellationToken);
        if (chunk.Ordinal >= directory.Length || directory[chunk.Ordinal].ToSlot(chunk.PackSeq, chunk.Ordinal) != chunk
            || !await reuse.IsSoundAsync(chunk, directory[chunk.Ordinal].RawLengthBytes, cancellationToken))
            return false;
        Claims.AddPack(chunk.PackSeq);
        return true;
    }
}
