using Strongroom.Backup.Pipelines;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>What the user said of the disk to be backed up.</summary>
internal sealed record ImageBackupRequest
{
    public required string Path { get; init; }

    public ImageFormat Format { get; init; }

    public string? ChangedFile { get; init; }

    /// <summary>An id or its beginning; <see cref="ParentChoice.None"/>; or null for the item's newest.</summary>
    public string? Parent { get; init; }

    public string? Item { get; init; }

    public bool AllowChanging { get; init; }
}

/// <summary>Backs up one disk as one snapshot.</summary>
/// <remarks>
/// 1. Open the file, and remember its state. 2. Find the parent. 3. Write the image. 4. Look whether the file changed meanwhile: what was
/// never the disk at one moment is no recovery point, unless the user allows it. 5. Commit.
/// </remarks>
internal sealed class ImageBackup(VerbContext context, ImageBackupRequest request)
{
    private readonly string item = request.Item ?? request.Path;
    private readonly string name = Path.GetFileName(request.Path);

    public async Task<VerbResult> RunAsync(CancellationToken cancellationToken)
    {
        var started = context.Time.GetTimestamp();

        // Step 1.
        await using var disk = await ImageFile.OpenAsync(request.Path, request.Format, request.AllowChanging, cancellationToken);
        var changed = request.ChangedFile is { } file ? await ChangedRanges.ReadAsync(file, disk.Blocks.LengthBytes, cancellationToken) : null;
        var vault = await context.OpenAsync(cancellationToken);

        // Step 2.
        var parent = FindParent(vault);
        if (changed is not null && parent is null)
            throw new UsageException($"--changed says what differs from a parent, but the vault holds none of '{item}'. Back up without --changed, or name a parent with --parent.");
        try
        {
            return await WriteAsync(vault, disk, changed, parent, started, cancellationToken);
        }
        catch (StoreException damage) when (parent is not null && changed is null && damage.Kind is StoreErrorKind.Corrupt or StoreErrorKind.NotFound)
        {
            // A damaged snapshot must not keep a sound one from being made; the vault's own check tells its damage.
            VerbConsole.Note($"The parent {parent.Snapshot.Id} is damaged, so the whole disk is stored without it: {damage.Message}");
            return await WriteAsync(vault, disk, null, null, started, cancellationToken);
        }
    }

    private async Task<VerbResult> WriteAsync(
        VaultStore vault, ImageFile disk, ChangedRanges? changed, ParentImage? parent, long started, CancellationToken cancellationToken)
    {
        IImageSource source = new BlockImageSource(disk.Blocks, request.AllowChanging ? null : disk.ResumeToken(context.Time.GetUtcNow()));
        if (changed is not null)
            source = new ChangedImageSource(source, changed);

        // Step 3.
        await using var session = await vault.OpenSessionAsync(cancellationToken);
        var image = await context.Console.TrackAsync(
            $"Backing up {name}",
            meter => session.WriteImageAsync(source, parent?.Image, meter.As<SessionProgress>(p => (p.BytesScanned, p.ImageLengthBytes)), cancellationToken));

        // Step 4.
        if (!request.AllowChanging && disk.HasChanged)
        {
            throw new IOException(
                $"'{request.Path}' changed while it was read, so the copy is of no one moment. Nothing was committed. "
                + "Stop what writes to it, or back up a snapshot of it; --allow-changing commits all the same.");
        }

        // Step 5.
        return await BackupReport.CommitAsync(
            context,
            session,
            new()
            {
                Id = new(Guid.NewGuid()),
                ItemId = item,
                Images = [new(0, name, image)],
                Parent = parent?.Snapshot.Id,
            },
            "image",
            image.LengthBytes,
            started,
            cancellationToken,
            tellsZeros: changed is null);
    }

    private ParentImage? FindParent(VaultStore vault)
    {
        if (ParentChoice.Find(vault, request.Parent, item, candidate => candidate.Images.Count > 0) is not { } snapshot)
            return null;
        var image = snapshot.Images.Count == 1 ? snapshot.Images[0] : snapshot.Images.FirstOrDefault(candidate => candidate.Name == name);
        return image is null
            ? throw new UsageException($"The parent {snapshot.Id} holds {Sizes.Count(snapshot.Images.Count, "disk")}, and none is called '{name}'.")
            : new(snapshot, image.Image);
    }

    private sealed record ParentImage(Snapshot Snapshot, ImageRef Image);
}
