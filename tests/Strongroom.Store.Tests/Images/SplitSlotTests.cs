using CsCheck;
using Strongroom.Store.Images;
using Strongroom.Store.Manifests;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Images;

public sealed class SplitSlotTests
{
    private const int SlotBytes = 256 * 1024;
    private const int SubBytes = 64 * 1024;

    private enum Change
    {
        Noise,
        Prose,
        Zeros,
        Punch,
        SameAgain,
        Resize,
    }

    [Fact]
    public async Task Any_history_of_small_changes_restores_and_reads_as_each_disk_was()
    {
        // A change: what, which of the first slots, where in it, how long; a generation: changes, how the source maps itself, which parent.
        var change = Gen.Select(Gen.Enum<Change>(), Gen.Int[0, 5], Gen.Int[0, SlotBytes - 1], Gen.Frequency((3, Gen.Const(SubBytes)), (2, Gen.Int[1, 9000]), (1, Gen.Int[1, 2 * SlotBytes])));
        var generation = Gen.Select(change.Array[0, 6], Gen.Bool, Gen.Bool, Gen.Int[0, 3]);
        var history = Gen.Select(Gen.Int[SlotBytes - 2, 7 * SlotBytes], generation.Array[2, 7], Gen.Int[0, 1 << 20]);
        await Check.SampleAsync(history, sample => PlayAsync(sample.Item1, sample.Item2, sample.Item3), iter: 60, threads: 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_slot_splits_splits_again_and_becomes_whole_when_most_of_it_changes(bool tracks)
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disk = new SparseDisk(2 * SlotBytes);
        disk.Write(0, TestVault.Noise(1, 2 * SlotBytes));
        var image = (await vault.BackUpCountedAsync(disk)).Image;
        Assert.Equal("whole", await ShapeAsync(vault, image, 0));

        image = await ChangeAsync(vault, disk, image, tracks, SubBytes, 0);
        Assert.Equal("own part part part", await ShapeAsync(vault, image, 0));
        Assert.Equal("whole", await ShapeAsync(vault, image, 1));
        image = await ChangeAsync(vault, disk, image, tracks, 2 * SubBytes, 2);
        Assert.Equal("own part own own", await ShapeAsync(vault, image, 0));
        disk.Punch(SubBytes, SubBytes);
        image = await ChangeAsync(vault, disk, image, tracks, 0, 0);
        Assert.Equal("own hole own own", await ShapeAsync(vault, image, 0));
        image = await ChangeAsync(vault, disk, image, tracks, 3 * SubBytes, 3);
        Assert.Equal("whole", await ShapeAsync(vault, image, 0));
        disk.Punch(0, SlotBytes);
        image = await ChangeAsync(vault, disk, image, tracks, 0, 0);
        Assert.Equal("hole", await ShapeAsync(vault, image, 0));
    }

    [Fact]
    public async Task The_pieces_that_did_not_change_are_neither_read_nor_stored()
    {
        var storage = new MemoryBackend();
        await using var vault = await TestVault.CreateAsync(storage);
        var disk = new SparseDisk(8 * SlotBytes);
        disk.Write(0, TestVault.Noise(1, 8 * SlotBytes));
        var first = await vault.BackUpCountedAsync(disk);
        disk.MarkClean();
        disk.TracksChanges = true;
        disk.Write(SlotBytes + SubBytes, TestVault.Noise(2, SubBytes));
        disk.Write((5 * SlotBytes) + (2 * SubBytes) + 4096, TestVault.Noise(3, 4096));
        var second = await vault.BackUpCountedAsync(disk, first.Image);
        Assert.Equal(SubBytes + 4096, second.Statistics.BytesRead);
        Assert.Equal(2 * SubBytes, second.Statistics.BytesNew);
        Assert.Equal((8 * SlotBytes) - (2 * SubBytes), second.Statistics.BytesUnchanged);
        Assert.InRange(second.Statistics.BytesStored, 2 * SubBytes, (2 * SubBytes) + 8192);
        await vault.AssertRestoresAsync(second.Image, disk);
    }

    [Fact]
    public async Task A_recovery_point_with_split_slots_needs_the_chunks_of_the_first_and_collection_knows()
    {
        var storage = new MemoryBackend();
        await using var vault = await TestVault.CreateAsync(storage);
        var disk = new SparseDisk(4 * SlotBytes);
        disk.Write(0, TestVault.Noise(1, 4 * SlotBytes));
        var first = await vault.BackUpAsync(disk);
        for (var slot = 0; slot < 4; slot++)
            disk.Write(slot * SlotBytes, TestVault.Noise(10 + slot, SubBytes));
        var second = await vault.BackUpAsync(disk, first.Images[0].Image);
        await vault.DeleteSnapshotAsync(first.Id, CancellationToken.None);
        await vault.CollectAsync([], TestVault.Compact, CancellationToken.None);
        await vault.AssertRestoresAsync(second.Images[0].Image, disk);
        Assert.True((await vault.VerifyAsync(readData: true, null, CancellationToken.None)).IsHealthy);
    }

    [Fact]
    public void Nonsense_in_a_leaf_is_refused_and_never_crashes() =>
        Gen.Select(Gen.Byte.Array[NodeLength(3)], Gen.Int[0, 255], Gen.Int[0, 5]).Sample((leaf, index, tweak) =>
        {
            // Bytes that look like slots of a known kind reach further than noise does.
            for (var i = 0; i < leaf.Length; i += 48)
                leaf[i] = (byte)((leaf[i] & 0xF0) | (leaf[i] % tweak switch { 0 => 3, 1 => 2, _ => 16 }));
            try
            {
                _ = NodeFormat.ReadChildren(leaf, 1, new Slot[NodeFormat.GreatestChildCount]);
                _ = SlotContent.Of(leaf, index);
            }
            catch (StoreException failure)
            {
                Assert.Contains(failure.Kind, (StoreErrorKind[])[StoreErrorKind.Corrupt, StoreErrorKind.Unsupported]);
            }
        }, iter: 300);

    private static int NodeLength(int records) => ImageGeometry.NodeLengthBytes + (records * NodeFormat.SplitRecordLengthBytes);

    private static async Task<ImageRef> ChangeAsync(VaultStore vault, SparseDisk disk, ImageRef parent, bool tracks, int length, int firstSub)
    {
        var seed = length + (firstSub * 31) + 7;
        for (var written = 0; written < length; written += SubBytes)
            disk.Write((firstSub + (written / SubBytes)) % 4 * SubBytes, TestVault.Noise(seed + written, SubBytes));
        disk.TracksChanges = tracks;
        var image = (await vault.BackUpCountedAsync(disk, parent)).Image;
        disk.MarkClean();
        await vault.AssertRestoresAsync(image, disk);
        return image;
    }

    private static async Task<string> ShapeAsync(VaultStore vault, ImageRef image, int slot)
    {
        var leaf = await vault.Manifests.FindLeafAsync(image, 0, CancellationToken.None);
        if (leaf is null)
            return "hole";
        var content = SlotContent.Of(leaf, slot);
        if (content.SubSlots is { } subSlots)
            return string.Join(' ', subSlots.Select(sub => sub.IsHole ? "hole" : sub.Part is null ? "own" : "part"));
        return content.IsHole ? "hole" : "whole";
    }

    private static async Task PlayAsync(int length, ((Change Kind, int Slot, int Where, int Count)[] Changes, bool Tracks, bool Holes, int Parent)[] generations, int seed)
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disk = new SparseDisk(length);
        disk.Write(0, TestVault.Prose(seed, length));
        var past = new List<(ImageRef Image, SparseDisk Disk)>();
        foreach (var (changes, tracks, holes, parentAge) in generations)
        {
            foreach (var (kind, slot, where, count) in changes)
                disk = Apply(disk, kind, Math.Min(((long)slot * SlotBytes) + where, disk.LengthBytes - 1), count, seed++);

            // Changes are known against the last image only, and a disk that shrank and grew does not know what it lost; else everything is read.
            var parent = past.Count == 0 || parentAge == 3 ? (ImageRef?)null : past[Math.Max(0, past.Count - 1 - parentAge)].Image;
            disk.TracksChanges = tracks && parentAge == 0 && parent is not null && changes.Count(change => change.Kind == Change.Resize) < 2;
            disk.KnowsHoles = holes;
            past.Add(((await vault.BackUpAsync(disk, parent)).Images[0].Image, disk.Resize(disk.LengthBytes)));
            disk.MarkClean();
        }

        var random = new Random(seed);
        foreach (var (image, then) in past)
        {
            await vault.AssertRestoresAsync(image, then);
            await using var reader = await vault.OpenImageAsync(image, CancellationToken.None);
            for (var i = 0; i < 30; i++)
            {
                var offset = random.NextInt64(then.LengthBytes);
                var buffer = new byte[Math.Min(random.Next(1, i % 3 == 0 ? 600_000 : 5000), then.LengthBytes - offset)];
                await reader.ReadAsync(offset, buffer, CancellationToken.None);
                Assert.True(buffer.AsSpan().SequenceEqual(then.Range(offset, buffer.Length)));
            }
        }

        var report = await vault.VerifyAsync(readData: true, null, CancellationToken.None);
        Assert.True(report.IsHealthy, string.Join('\n', report.Problems));
    }

    private static SparseDisk Apply(SparseDisk disk, Change kind, long offset, int count, int seed)
    {
        var fits = (int)Math.Min(count, disk.LengthBytes - offset);
        switch (kind)
        {
            case Change.Punch:
                disk.Punch(offset, fits);
                break;
            case Change.Zeros:
                disk.Write(offset, new byte[fits]);
                break;
            case Change.SameAgain:
                disk.Write(offset, disk.Range(offset, fits));
                break;
            case Change.Resize:
                // Some resizes end within a slot, some at its edge. What grows comes as holes.
                return disk.Resize(Math.Max(1, count % 2 == 0 ? offset : offset / SlotBytes * SlotBytes));
            default:
                disk.Write(offset, kind == Change.Noise ? TestVault.Noise(seed, fits) : TestVault.Prose(seed, fits));
                break;
        }

        return disk;
    }
}
