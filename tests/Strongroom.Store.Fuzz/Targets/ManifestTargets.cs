using System.Buffers.Binary;
using System.Text;
using Strongroom.Store.Images;
using Strongroom.Store.Manifests;
using Strongroom.Store.Streams;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Fuzz.Targets;

/// <summary>A node of an image. Input: level u8, split records u8, then { place u16, slot 48 } to be written over zeros.</summary>
internal sealed class ImageNodeTarget : FuzzTarget
{
    public override string Name => "image-node";

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var slot = new byte[Slot.LengthBytes];
            Harness.SlotOf(1).WriteTo(slot);
            yield return [2, 0, 0, 0, .. slot];
            yield return [1, 0, 5, 0, .. slot, 255, 0, .. slot];
            var split = new byte[Slot.LengthBytes];
            new Slot(SlotKind.Split, default, 0, 0, 0, 0, 0, default).WriteTo(split);
            var part = new byte[Slot.LengthBytes];
            Harness.SlotOf(2).ToPart(1).WriteTo(part);
            yield return [1, 1, 9, 0, .. split, 0, 1, .. part];
        }
    }

    public override void Run(byte[] input)
    {
        if (input.Length < 2)
            throw StoreException.Corrupt("Too short for this harness");
        var level = input[0] & 7;
        var node = new byte[ImageGeometry.NodeLengthBytes + (input[1] * NodeFormat.SplitRecordLengthBytes)];
        for (var at = 2; at + 2 + Slot.LengthBytes <= input.Length; at += 2 + Slot.LengthBytes)
        {
            var place = BinaryPrimitives.ReadUInt16LittleEndian(input.AsSpan(at)) % (node.Length / Slot.LengthBytes);
            input.AsSpan(at + 2, Slot.LengthBytes).CopyTo(node.AsSpan(place * Slot.LengthBytes));
        }

        var children = new Slot[NodeFormat.GreatestChildCount];
        foreach (var child in children[..NodeFormat.ReadChildren(node, Math.Max(1, level), children)])
        {
            if (level > 1)
                NodeFormat.LengthOf(child, level - 1);
        }

        if (level > 1)
            return;
        for (var i = 0; i < ImageGeometry.FanOut; i++)
        {
            var content = SlotContent.Of(node, i);
            if (content.IsDivisible)
                content.SubSlot(i & 3);
        }
    }
}

/// <summary>A node of a stream. Input: level u8, length i64, the node.</summary>
internal sealed class StreamNodeTarget : FuzzTarget
{
    public override string Name => "stream-node";

    public override IEnumerable<byte[]> Seeds =>
    [
        [1, .. Harness.LittleEndian(300_000), .. StreamNode.Format([new(100_000, Harness.SlotOf(1)), new(200_000, default)])],
        [2, .. Harness.LittleEndian(9_000_000), .. StreamNode.Format([new(9_000_000, Harness.SlotOf(1) with { Flags = 9 })])],
    ];

    public override void Run(byte[] input)
    {
        if (input.Length < 9)
            throw StoreException.Corrupt("Too short for this harness");
        foreach (var record in StreamNode.Parse(input.AsSpan(9), input[0], BinaryPrimitives.ReadInt64LittleEndian(input.AsSpan(1))))
        {
            if (input[0] > 1 && !record.Slot.IsHole)
                StreamNode.RawLengthOf(record.Slot);
        }
    }
}

/// <summary>A page of a folder. Input: whether it is a tree's own u8, the page.</summary>
internal sealed class TreePageTarget : FuzzTarget
{
    public override string Name => "tree-page";

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var stream = new StreamRef(100_000, 0, Harness.SlotOf(1));
            TreeEntry Entry(TreeEntryKind kind, string name) => new() { Kind = kind, Name = Encoding.UTF8.GetBytes(name), Mode = 0x1ED, UserName = "root" };
            var file = Entry(TreeEntryKind.File, "a") with { Stream = stream, Attributes = [new("user.x"u8.ToArray(), "y"u8.ToArray())] };
            var link = Entry(TreeEntryKind.SymbolicLink, "b") with { LinkTarget = "a"u8.ToArray() };
            var small = Entry(TreeEntryKind.File, "c") with { Inline = [1, 2, 3] };
            var device = Entry(TreeEntryKind.BlockDevice, "d") with { DeviceMajor = 8, DeviceMinor = 1 };
            yield return [0, .. TreePage.Format(file), .. TreePage.Format(link), .. TreePage.Format(small), .. TreePage.Format(device)];
            yield return [1, .. TreePage.Format(Entry(TreeEntryKind.Folder, "") with { Stream = stream })];
        }
    }

    public override void Run(byte[] input)
    {
        if (input.Length < 1)
            throw StoreException.Corrupt("Too short for this harness");
        foreach (var entry in TreePage.Parse(input.AsMemory(1), input[0] == 1))
            _ = (entry.NameText, entry.ModifiedAt.ToDateTimeOffset(), entry.ChangedAt.ToDateTimeOffset(), entry.HasContent);
    }
}

/// <summary>References as bytes and as text. Input: which u8, the bytes.</summary>
internal sealed class ReferenceTarget : FuzzTarget
{
    public override string Name => "reference";

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var bytes = new byte[ImageRef.EncodedLengthBytes];
            var image = new ImageRef(1 << 20, 1, Harness.SlotOf(1));
            image.WriteTo(bytes);
            yield return [0, .. bytes];
            yield return [1, .. Encoding.ASCII.GetBytes(image.ToString())];
            var stream = new StreamRef(1 << 20, 0, Harness.SlotOf(1));
            stream.WriteTo(bytes);
            yield return [2, .. bytes];
            yield return [3, .. Encoding.ASCII.GetBytes(stream.ToString())];
            yield return [4, .. Encoding.ASCII.GetBytes(new TreeRef(stream).ToString())];
            yield return [5, .. bytes];
        }
    }

    public override void Run(byte[] input)
    {
        if (input.Length < 1)
            throw StoreException.Corrupt("Too short for this harness");
        var rest = input.AsSpan(1);
        var isTaken = input[0] switch
        {
            0 => rest.Length >= ImageRef.EncodedLengthBytes && ImageRef.Read(rest).LengthBytes >= 0,
            1 => ImageRef.TryParse(Encoding.Latin1.GetString(rest), out _),
            2 => rest.Length >= StreamRef.EncodedLengthBytes && StreamRef.Read(rest).LengthBytes >= 0,
            3 => StreamRef.TryParse(Encoding.Latin1.GetString(rest), out _),
            4 => TreeRef.TryParse(Encoding.Latin1.GetString(rest), out _),
            5 => rest.Length >= StreamRef.EncodedLengthBytes && TreeRef.Read(rest) is var _,
            _ => false,
        };
        if (!isTaken)
            throw StoreException.Corrupt("Refused without an exception");
    }
}
