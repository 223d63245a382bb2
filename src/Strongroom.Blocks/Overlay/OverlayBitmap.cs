using Microsoft.Win32.SafeHandles;

namespace Strongroom.Blocks.Overlay;

/// <summary>Which blocks lie in the overlay file. Look-ups are safe from many threads; marks are made by one writer at a time.</summary>
/// <remarks>Pages are read when they are first asked for. Takes 4 KiB for each 128 MiB of the disk that were touched, and 8 bytes for all the others.</remarks>
internal sealed class OverlayBitmap(SafeFileHandle file, OverlayFormat format)
{
    private readonly byte[]?[] _pages = new byte[]?[format.Pages];
    private readonly HashSet<long> _dirty = [];
    private readonly Lock _dirtyLock = new();

    /// <exception cref="IOException">The file cannot be read.</exception>
    public bool Contains(long block)
    {
        var bit = (int)(block % OverlayFormat.BlocksPerPage);
        return (Volatile.Read(ref PageOf(block)[bit / 8]) & (1 << (bit % 8))) != 0;
    }

    /// <summary>The block after the last of those from <paramref name="block"/> on that are, or are not, in the file as it is; at most <paramref name="end"/>.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public long EndOfRun(long block, long end, out bool isInFile)
    {
        isInFile = Contains(block);
        var next = block + 1;
        while (next < end && Contains(next) == isInFile)
            next++;
        return next;
    }

    /// <summary>The block's content is in the file from now on. It is durable only with <see cref="Write"/> and a flush after it.</summary>
    public void Mark(long block)
    {
        var page = PageOf(block);
        var bit = (int)(block % OverlayFormat.BlocksPerPage);
        Volatile.Write(ref page[bit / 8], (byte)(page[bit / 8] | (1 << (bit % 8))));
        lock (_dirtyLock)
            _dirty.Add(block / OverlayFormat.BlocksPerPage);
    }

    /// <summary>Copies of the pages that changed since the last call. What they say is true of the file, but not yet durable.</summary>
    public IReadOnlyList<(long Page, byte[] Content)> TakeDirty()
    {
        lock (_dirtyLock)
        {
            List<(long Page, byte[] Content)> taken = [.. _dirty.Select(page => (page, (byte[])_pages[page]!.Clone()))];
            _dirty.Clear();
            return taken;
        }
    }

    /// <summary>Puts pages into the file.</summary>
    /// <exception cref="IOException">They cannot be written.</exception>
    public void Write(IReadOnlyList<(long Page, byte[] Content)> taken)
    {
        foreach (var (page, content) in taken)
            RandomAccess.Write(file, content, OverlayFormat.OffsetOfPage(page));
    }

    private byte[] PageOf(long block)
    {
        var index = block / OverlayFormat.BlocksPerPage;
        if (Volatile.Read(ref _pages[index]) is { } known)
            return known;
        var page = new byte[OverlayFormat.BlockSizeBytes];
        OverlayFile.ReadExactly(file, page, OverlayFormat.OffsetOfPage(index));

        // Another thread may have been quicker, and its page may have marks already.
        return Interlocked.CompareExchange(ref _pages[index], page, null) ?? page;
    }
}
