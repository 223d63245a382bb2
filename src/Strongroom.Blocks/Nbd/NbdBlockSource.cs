using System.Runtime.CompilerServices;

namespace Strongroom.Blocks.Nbd;

/// <summary>An NBD export as a disk: holes from base:allocation and, where a dirty bitmap was asked for, what has not changed since it was made.</summary>
/// <remarks>Safe from many threads. A server without block status has a disk that is all data. Owns its connections.</remarks>
public sealed class NbdBlockSource : IBlockSource
{
    private const int SectorSizeBytes = 512;

    private readonly NbdConnections _connections;
    private readonly string? _changedContext;

    /// <param name="client">Connected; owned by this object from now on.</param>
    /// <param name="changedContext">Full name of the qemu:dirty-bitmap context whose clean runs are unchanged since the parent; null to read all.</param>
    /// <exception cref="DirtyBitmapUnusableException">The server does not have that context.</exception>
    public NbdBlockSource(NbdClient client, string? changedContext)
        : this(new NbdConnections(client), changedContext)
    {
    }

    private NbdBlockSource(NbdConnections connections, string? changedContext)
    {
        if (changedContext is not null && !connections.Export.MetaContexts.ContainsKey(changedContext))
            throw new DirtyBitmapUnusableException($"The NBD server does not offer '{changedContext}'.");
        _connections = connections;
        _changedContext = changedContext;
        LengthBytes = (connections.Export.LengthBytes + SectorSizeBytes - 1) / SectorSizeBytes * SectorSizeBytes;
    }

    /// <summary>Connects to the server, as often as is asked for and safe, and opens the export.</summary>
    /// <exception cref="DirtyBitmapUnusableException">The server does not offer the bitmap.</exception>
    /// <exception cref="IOException">As <see cref="NbdClient.ConnectAsync"/> has it.</exception>
    public static async Task<NbdBlockSource> ConnectAsync(NbdAddress address, NbdSourceOptions options, CancellationToken cancellationToken)
    {
        var changed = options.ChangedBitmap is { } bitmap ? NbdMetaContexts.DirtyBitmap(bitmap) : null;
        IEnumerable<string> contexts = [.. options.Client.MetaContexts, NbdMetaContexts.BaseAllocation, .. changed is null ? [] : (string[])[changed]];
        var client = options.Client with { MetaContexts = [.. contexts.Distinct(StringComparer.Ordinal)] };
        var connections = await NbdConnections.OpenAsync(address, client, options.Connections, options.IsStable, cancellationToken).ConfigureAwait(false);
        try
        {
            return new NbdBlockSource(connections, changed);
        }
        catch
        {
            await connections.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>What the server said of the export.</summary>
    public NbdExport Export => _connections.Export;

    /// <summary>Connections that are open.</summary>
    public int ConnectionCount => _connections.Count;

    /// <inheritdoc/>
    public long LengthBytes { get; }

    /// <inheritdoc/>
    public async IAsyncEnumerable<BlockExtent> MapAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Neighbours of one kind are joined, also where one answer ends and the next begins.
        BlockExtent? pending = null;
        await foreach (var extent in AnswersAsync(cancellationToken).ToExtentsAsync().ConfigureAwait(false))
        {
            if (pending is { } last && last.Kind == extent.Kind)
            {
                pending = last with { LengthBytes = last.LengthBytes + extent.LengthBytes };
                continue;
            }

            if (pending is { } complete)
                yield return complete;
            pending = extent;
        }

        if (pending is not { } end)
            yield break;
        // The bytes that round the size up to a sector belong to the last run; they read as zeros.
        yield return end with { LengthBytes = LengthBytes - end.OffsetBytes };
    }

    /// <inheritdoc/>
    public async ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offsetBytes, LengthBytes - buffer.Length);
        var there = (int)Math.Clamp(_connections.Export.LengthBytes - offsetBytes, 0, buffer.Length);
        if (there > 0)
            await _connections.ReadAsync(offsetBytes, buffer[..there], cancellationToken).ConfigureAwait(false);
        buffer.Span[there..].Clear();
    }

    public ValueTask DisposeAsync() => _connections.DisposeAsync();

    private async IAsyncEnumerable<NbdRun> AnswersAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var size = _connections.Export.LengthBytes;
        if (_connections.Export.MetaContexts.Count == 0)
        {
            if (size > 0)
                yield return new(0, size, IsClean: false, IsZero: false);
            yield break;
        }

        for (var offset = 0L; offset < size;)
        {
            var status = await _connections.BlockStatusAsync(offset, size - offset, cancellationToken).ConfigureAwait(false);
            var allocation = new ExtentWalk(status.GetValueOrDefault(NbdMetaContexts.BaseAllocation));
            var changed = new ExtentWalk(_changedContext is null ? null : status[_changedContext]);
            // The contexts' runs have borders of their own: go from border to border while both still say something.
            while (offset < size && allocation.MoveNext() && changed.MoveNext())
            {
                var length = Math.Min(size - offset, Math.Min(allocation.LeftBytes, changed.LeftBytes));
                yield return new(
                    offset, length,
                    IsClean: _changedContext is not null && (changed.Flags & NbdMetaContexts.DirtyBitmapDirty) == 0,
                    // A hole alone need not read as zeros (it may be backed by something the context does not see); the zero flag is the promise.
                    IsZero: (allocation.Flags & NbdMetaContexts.AllocationZero) != 0);
                allocation.Take(length);
                changed.Take(length);
                offset += length;
            }
        }
    }

    /// <summary>Walks the runs of one context; one that was not asked for is a single run without flags.</summary>
    private sealed class ExtentWalk(IReadOnlyList<NbdExtent>? extents)
    {
        private int _index = -1;

        public long LeftBytes { get; private set; }

        public ulong Flags { get; private set; }

        public bool MoveNext()
        {
            if (LeftBytes > 0)
                return true;
            if (extents is null)
            {
                LeftBytes = long.MaxValue;
                return true;
            }

            if (++_index >= extents.Count)
                return false;
            LeftBytes = extents[_index].LengthBytes;
            Flags = extents[_index].Flags;
            return true;
        }

        public void Take(long length) => LeftBytes -= length;
    }
}
