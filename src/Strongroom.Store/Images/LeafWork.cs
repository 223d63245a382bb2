using Strongroom.Store.Manifests;

namespace Strongroom.Store.Images;

/// <summary>A run of one kind within a leaf.</summary>
internal readonly record struct Piece(long OffsetBytes, long LengthBytes, ExtentKind Kind)
{
    public long EndBytes => OffsetBytes + LengthBytes;
}

/// <summary>The 64 MiB of an image that a leaf covers, while workers fill its slots.</summary>
internal sealed class LeafWork(long firstSlot)
{
    private readonly TaskCompletionSource filled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int slabsLeft;

    public long FirstSlot => firstSlot;

    public List<Piece> Pieces { get; } = [];

    /// <summary>Each slot is written by one worker only.</summary>
    public SlotContent[] Slots { get; private set; } = [];

    /// <summary>Set when the whole leaf is a hole or is the parent's: then there are no slots.</summary>
    public Slot? Known { get; set; }

    /// <summary>The parent's node, or null when there the parent has a hole or there is no parent.</summary>
    public byte[]? ParentLeaf { get; set; }

    /// <summary>True when some of it had to be looked at in the source.</summary>
    public bool WasRead { get; private set; }

    public void AllocateSlots() => Slots = new SlotContent[ImageGeometry.FanOut];

    public SlotContent ParentSlot(int index) => ParentLeaf is null ? default : SlotContent.Of(ParentLeaf, index);

    /// <summary>Makes data of what is unchanged between two offsets: the parent's bytes there are not to be relied on.</summary>
    public void ReadAgain(long offsetBytes, long lengthBytes)
    {
        var old = Pieces.ToArray();
        Pieces.Clear();
        foreach (var piece in old)
        {
            var start = Math.Clamp(offsetBytes, piece.OffsetBytes, piece.EndBytes);
            var end = Math.Clamp(offsetBytes + lengthBytes, piece.OffsetBytes, piece.EndBytes);
            Add(new(piece.OffsetBytes, start - piece.OffsetBytes, piece.Kind));
            Add(new(start, end - start, piece.Kind == ExtentKind.Unchanged ? ExtentKind.Data : piece.Kind));
            Add(new(end, piece.EndBytes - end, piece.Kind));
        }
    }

    /// <summary>Adds a run at the end, to the last one where it is of the same kind.</summary>
    public void Add(Piece piece)
    {
        if (piece.LengthBytes == 0)
            return;
        if (Pieces.Count > 0 && Pieces[^1].Kind == piece.Kind)
            Pieces[^1] = new(Pieces[^1].OffsetBytes, piece.EndBytes - Pieces[^1].OffsetBytes, piece.Kind);
        else
            Pieces.Add(piece);
    }

    public void Expect(int slabs)
    {
        slabsLeft = slabs;
        WasRead = slabs > 0;
        if (slabs == 0)
            filled.SetResult();
    }

    public void SlabDone()
    {
        if (Interlocked.Decrement(ref slabsLeft) == 0)
            filled.SetResult();
    }

    public Task WhenFilledAsync(CancellationToken cancellationToken) => filled.Task.WaitAsync(cancellationToken);
}

/// <summary>Up to 1 MiB of a leaf that one worker reads and stores.</summary>
internal readonly record struct Slab(LeafWork Leaf, int FirstSlot, int SlotCount, int FirstPiece, int PieceCount);
