using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Strongroom.Store.Journals;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Images;

/// <summary>Stores one image: a producer cuts the map into slabs, workers fill slots, a finisher builds the tree in order.</summary>
/// <remarks>
/// Memory: (workers) × (1 MiB slab + 0.5 MiB of compression) + at most <see cref="LeavesAhead"/> + 2 leaves of about 30 KiB each.
/// Every queue is bounded, so it does not grow with the image.
/// </remarks>
internal sealed class ImageWriter(
    ManifestReader tree, ISessionChunks chunks, IImageSource source, ImageRef? parent, int workers, ImageResume? resume, IProgress<SessionProgress>? progress)
{
    private const int LeavesAhead = 4;
    private readonly long lengthBytes = source.LengthBytes;
    private readonly Channel<LeafWork> leaves = Channel.CreateBounded<LeafWork>(LeavesAhead);
    private readonly Channel<Slab> slabs = Channel.CreateBounded<Slab>(workers * 2);
    private ExceptionDispatchInfo? firstFailure;

    public async Task<ImageRef> WriteAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var height = ImageGeometry.HeightOf(lengthBytes);
        var root = default(Slot);
        var filler = new SlabFiller(tree, chunks, source, parent, progress);
        var producer = new LeafProducer(tree, source, parent, leaves.Writer, slabs.Writer, chunks, resume?.Leaves);
        var tasks = new List<Task>
        {
            GuardAsync(() => producer.RunAsync(stop.Token), stop),
            GuardAsync(async () => root = await FinishLeavesAsync(height, stop.Token), stop),
        };
        for (var i = 0; i < workers; i++)
            tasks.Add(GuardAsync(() => filler.RunAsync(slabs.Reader, stop.Token), stop));
        await Task.WhenAll(tasks);
        cancellationToken.ThrowIfCancellationRequested();
        firstFailure?.Throw();
        progress?.Report(chunks.Counters.ToProgress(lengthBytes));
        return new ImageRef(lengthBytes, height, root);
    }

    private async Task<Slot> FinishLeavesAsync(int height, CancellationToken cancellationToken)
    {
        var builder = new TreeBuilder(tree, parent, height, chunks.StoreNodeAsync);
        await foreach (var leaf in leaves.Reader.ReadAllAsync(cancellationToken))
        {
            if (leaf.Known is { } known)
            {
                await builder.AddLeafAsync(known, cancellationToken);
                continue;
            }

            await leaf.WhenFilledAsync(cancellationToken);
            await builder.AddLeafAsync(leaf.Slots, cancellationToken);
            if (resume is not null && leaf.WasRead)
                await resume.NoteAsync(leaf, cancellationToken);
        }

        return await builder.FinishAsync(cancellationToken);
    }

    /// <summary>Runs one stage beside the others. The first failure is kept and stops the other stages.</summary>
    private Task GuardAsync(Func<Task> stage, CancellationTokenSource stop) => Workers.StartAsync(
        async () =>
        {
            try
            {
                await stage();
            }
            catch (Exception failure)
            {
                Interlocked.CompareExchange(ref firstFailure, ExceptionDispatchInfo.Capture(failure), null);
                await stop.CancelAsync();
            }
        });
}

/// <summary>How an image goes on where an earlier session died, and how a later one will.</summary>
/// <param name="Leaves">What earlier sessions settled.</param>
/// <param name="NoteAsync">Takes a leaf that was read; called in order.</param>
internal sealed record ImageResume(LeafResume Leaves, Func<LeafWork, CancellationToken, ValueTask> NoteAsync);
