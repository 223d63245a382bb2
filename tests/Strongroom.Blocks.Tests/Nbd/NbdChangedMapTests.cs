using CsCheck;
using Strongroom.Blocks.Nbd;

namespace Strongroom.Blocks.Tests.Nbd;

/// <summary>The map of two contexts whose runs have borders of their own, and of which a server tells as much at a time as it likes.</summary>
public sealed class NbdChangedMapTests
{
    private const int SectorBytes = 512;

    /// <summary>What a server may make of it: flags for each sector of each context, how much it tells at a time, and which context comes first.</summary>
    private sealed record Disk(int[] Allocation, int[] Changed, int[] Portions, bool IsExtended)
    {
        /// <summary>Clean zeros at the end may have come from a cut.</summary>
        public BlockKind KindOf(int sector) => IsClean(sector) && sector <= LastCleanData ? BlockKind.Unchanged : IsZero(sector) ? BlockKind.Zero : BlockKind.Data;

        private int LastCleanData => Enumerable.Range(0, Changed.Length).LastOrDefault(sector => IsClean(sector) && !IsZero(sector), -1);

        private bool IsClean(int sector) => (Changed[sector] & 1) == 0;

        private bool IsZero(int sector) => (Allocation[sector] & 2) != 0;
    }

    private static readonly Gen<Disk> Disks =
        from sectors in Gen.Int[1, 60]
        from allocation in Runs(sectors, 4)
        from changed in Runs(sectors, 2)
        from portions in Gen.Int[1, 20].Array[1, 8]
        from isExtended in Gen.Bool
        select new Disk(allocation, changed, portions, isExtended);

    private static Gen<int[]> Runs(int sectors, int flags) =>
        Gen.Select(Gen.Int[1, 9], Gen.Int[0, flags - 1]).Array[sectors].Select(runs => runs.SelectMany(run => Enumerable.Repeat(run.Item2, run.Item1)).Take(sectors).ToArray());

    [Fact]
    public async Task A_sector_is_unchanged_exactly_where_the_bitmap_is_clean_but_for_zeros_at_the_end() => await Disks.SampleAsync(
        async disk =>
        {
            await using var server = new FakeNbdServer(server => ServeAsync(server, disk))
            {
                LengthBytes = disk.Allocation.Length * SectorBytes,
                HasBitmap = true,
                IsExtended = disk.IsExtended,
            };
            var options = new NbdSourceOptions { Client = new() { ConnectTimeout = TimeSpan.FromSeconds(20), AnswerTimeout = TimeSpan.FromSeconds(20) }, ChangedBitmap = "b" };
            await using var source = await NbdBlockSource.ConnectAsync(server.Address, options, CancellationToken.None);
            var next = 0L;
            BlockKind? previous = null;
            foreach (var extent in await Sources.MapAsync(source))
            {
                Assert.Equal(next, extent.OffsetBytes);
                Assert.NotEqual(previous, extent.Kind);
                (next, previous) = (extent.OffsetBytes + extent.LengthBytes, extent.Kind);
                for (var at = extent.OffsetBytes; at < next; at += SectorBytes)
                    Assert.Equal(disk.KindOf((int)(at / SectorBytes)), extent.Kind);
            }

            Assert.Equal(source.LengthBytes, next);
        },
        iter: 200,
        threads: 1);

    private static async Task ServeAsync(FakeNbdServer server, Disk disk)
    {
        await server.NegotiateAsync();
        for (var turn = 0; ; turn++)
        {
            var (type, cookie, offset, _) = disk.IsExtended ? await server.ReadExtendedRequestAsync() : await ReadCompactAsync(server);
            if (type != 7)
                return;
            var first = (int)(offset / SectorBytes);
            byte[] allocation = Describe(7, disk.Allocation, first, disk.Portions[turn % disk.Portions.Length], disk.IsExtended);
            byte[] changed = Describe(8, disk.Changed, first, disk.Portions[(turn + 1) % disk.Portions.Length], disk.IsExtended);
            var (one, other) = turn % 2 == 0 ? (allocation, changed) : (changed, allocation);
            await SendAsync(server, disk, cookie, offset, one, isLast: false);
            await SendAsync(server, disk, cookie, offset, other, isLast: true);
        }
    }

    private static async Task<(ushort Type, ulong Cookie, long Offset, long Length)> ReadCompactAsync(FakeNbdServer server)
    {
        var (type, cookie, offset, length) = await server.ReadRequestAsync();
        return (type, cookie, offset, length);
    }

    private static Task SendAsync(FakeNbdServer server, Disk disk, ulong cookie, long offset, byte[] payload, bool isLast) =>
        disk.IsExtended ? server.SendExtendedChunkAsync(cookie, offset, 6, payload, isLast) : server.SendChunkAsync(cookie, 5, payload, isLast);

    /// <summary>Runs from a sector on, for so many sectors or to the end; the last may reach beyond the end of the disk.</summary>
    private static byte[] Describe(uint context, int[] flags, int first, int sectors, bool isExtended)
    {
        var payload = new List<byte>([.. FakeNbdServer.Big32(context), .. isExtended ? FakeNbdServer.Big32(0) : []]);
        var end = Math.Min(first + sectors, flags.Length);
        for (var start = first; start < end;)
        {
            var stop = start;
            while (stop < end && flags[stop] == flags[start])
                stop++;
            var length = (uint)((stop - start) * SectorBytes);
            if (stop == flags.Length)
                length += SectorBytes * 3;
            payload.AddRange(isExtended ? [.. FakeNbdServer.Big64(length), .. FakeNbdServer.Big64((ulong)flags[start])] : [.. FakeNbdServer.Big32(length), .. FakeNbdServer.Big32((uint)flags[start])]);
            start = stop;
        }

        return [.. payload];
    }
}
