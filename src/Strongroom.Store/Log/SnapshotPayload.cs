namespace Strongroom.Store.Log;

/// <summary>A snapshot as the payload of its COMMIT entry.</summary>
internal static class SnapshotPayload
{
    public const int GreatestConfigurationBytes = 1 << 20;
    private const byte Version = 1;
    private const int GreatestItemsOfAKind = 1024;
    private const byte ImageKind = 1;
    private const byte StreamKind = 2;
    private const byte TreeKind = 3;

    public static byte[] Format(SnapshotDraft draft, DateTimeOffset createdAt)
    {
        var payload = new PayloadWriter()
            .Byte(Version)
            .Guid(draft.Id.Value)
            .Text(draft.ItemId)
            .Int64(createdAt.ToUnixTimeMilliseconds())
            .Text(draft.Consistency)
            .Byte(draft.Parent is null ? (byte)0 : (byte)1)
            .Guid(draft.Parent?.Value ?? Guid.Empty)
            .Bytes(draft.Configuration.Span)
            .UInt32((uint)(draft.Images.Count + draft.Streams.Count + draft.Trees.Count));
        Span<byte> reference = stackalloc byte[ImageRef.EncodedLengthBytes];
        foreach (var disk in draft.Images)
        {
            disk.Image.WriteTo(reference);
            payload.Byte(ImageKind).UInt32((uint)disk.Lun).Text(disk.Name).Raw(reference);
        }

        foreach (var item in draft.Streams)
        {
            item.Stream.WriteTo(reference);
            payload.Byte(StreamKind).Text(item.Name).Raw(reference);
        }

        foreach (var item in draft.Trees)
        {
            item.Tree.Page.WriteTo(reference);
            payload.Byte(TreeKind).Text(item.Name).Raw(reference);
        }

        return payload.Int64(draft.LockedUntil?.ToUnixTimeMilliseconds() ?? 0).ToArray();
    }

    public static Snapshot Parse(LogEntry entry)
    {
        var source = new PayloadReader(entry.Payload);
        if (source.Byte() != Version)
            throw new StoreException(StoreErrorKind.Unsupported, $"Log entry {entry.Sequence} holds a newer kind of snapshot. Use a newer Strongroom.");
        var id = new SnapshotId(source.Guid());
        var itemId = source.Text();
        var createdAt = source.Time();
        var consistency = source.Text();
        var hasParent = source.Byte() != 0;
        var parent = source.Guid();
        var configuration = source.Bytes().ToArray();
        var images = new List<SnapshotImage>();
        var streams = new List<SnapshotStream>();
        var trees = new List<SnapshotTree>();
        for (var items = source.Count(5 + StreamRef.EncodedLengthBytes); items > 0; items--)
        {
            switch (source.Byte())
            {
                case ImageKind:
                    images.Add(new((int)source.UInt32(), source.Text(), ImageRef.Read(source.Raw(ImageRef.EncodedLengthBytes))));
                    break;
                case StreamKind:
                    streams.Add(new(source.Text(), StreamRef.Read(source.Raw(StreamRef.EncodedLengthBytes))));
                    break;
                case TreeKind:
                    trees.Add(new(source.Text(), TreeRef.Read(source.Raw(StreamRef.EncodedLengthBytes))));
                    break;
                default:
                    throw new StoreException(StoreErrorKind.Unsupported, $"Snapshot {id} holds what this program does not know. Use a newer Strongroom.");
            }
        }

        return new()
        {
            Id = id,
            ItemId = itemId,
            CreatedAt = createdAt,
            Images = images,
            Streams = streams,
            Trees = trees,
            Consistency = consistency,
            Configuration = configuration,
            Parent = hasParent ? new SnapshotId(parent) : null,
            LockedUntil = source.TimeOrNull(),
            LogSequence = entry.Sequence,
        };
    }

    /// <exception cref="StoreException">InvalidRequest: a field is out of its limits.</exception>
    public static void Validate(SnapshotDraft draft)
    {
        if (draft.Id.Value == Guid.Empty)
            throw Refuse("its id is empty");
        if (draft.ItemId.Length > 4096 || draft.Consistency.Length > 4096)
            throw Refuse("its item id or consistency is longer than 4,096 characters");
        if (draft.Images.Count > GreatestItemsOfAKind || draft.Streams.Count > GreatestItemsOfAKind || draft.Trees.Count > GreatestItemsOfAKind)
            throw Refuse("it has more than 1,024 images, streams or trees");
        if (draft.Images.Any(image => image.Name.Length > 4096) || draft.Streams.Any(item => item.Name.Length > 4096) || draft.Trees.Any(item => item.Name.Length > 4096))
            throw Refuse("the name of an image, a stream or a tree is longer than 4,096 characters");
        if (draft.Configuration.Length > GreatestConfigurationBytes)
            throw Refuse("its configuration is longer than 1 MiB");
    }

    private static StoreException Refuse(string why) => new(StoreErrorKind.InvalidRequest, $"The snapshot cannot be committed: {why}.");
}
