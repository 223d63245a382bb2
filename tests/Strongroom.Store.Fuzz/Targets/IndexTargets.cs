using System.Security.Cryptography;
using Strongroom.Store.Index;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Fuzz.Targets;

internal sealed class SegmentHeaderTarget : FuzzTarget
{
    public override string Name => "index-header";

    public override IEnumerable<byte[]> Seeds => [IndexSegmentTarget.Header];

    public override void Run(byte[] input) => SegmentFormat.ReadHeader(input, Harness.Ring);
}

/// <summary>A segment of authentic pages that say what the input says. Input: pages of 4,080 bytes, the last one first, each after its length u16.</summary>
internal sealed class IndexSegmentTarget : FuzzTarget
{
    private const int GreatestPages = 8;
    private const string BlobName = "idx/0-00000001-00000002-0000000000000000";
    private static readonly AesGcm Cipher = new(SegmentFormat.ReadHeader(SegmentFormat.WriteHeader(0, 1, new byte[16], Harness.Ring.VaultId), Harness.Ring).Key, 16);

    public static byte[] Header { get; } = SegmentFormat.WriteHeader(0, 1, new byte[16], Harness.Ring.VaultId);

    public override string Name => "index-segment";

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var records = new byte[3 * SegmentFormat.RecordLengthBytes];
            var ids = Enumerable.Range(0, 3).Select(i => new ChunkId(Harness.Bytes(i))).Order().ToList();
            var bloom = new BlockedBloom(3L);
            for (var i = 0; i < 3; i++)
            {
                SegmentFormat.WriteRecord(records.AsSpan(i * SegmentFormat.RecordLengthBytes), new(ids[i], 1, (ushort)i));
                bloom.Add(ids[i]);
            }

            // records i64, Bloom blocks u32, fences u32, coverage pairs u32
            byte[] last = [3, 0, 0, 0, 0, 0, 0, 0, (byte)bloom.Blocks, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0];
            var fence = BitConverter.GetBytes((uint)(ids[0].First >> 32));
            byte[] coverage = [1, 0, 0, 0, 2, 0, 0, 0];
            yield return Harness.Concat(Page(last), Page(records), Page(bloom.Bits), Page(fence), Page(coverage));
        }
    }

    public override void Run(byte[] input)
    {
        var pages = new List<byte[]>();
        for (var at = 0; at + 2 <= input.Length && pages.Count < GreatestPages;)
        {
            var length = Math.Min(Math.Min(BitConverter.ToUInt16(input, at), input.Length - at - 2), SealedPage.PayloadLengthBytes);
            var page = new byte[SealedPage.PayloadLengthBytes];
            input.AsSpan(at + 2, length).CopyTo(page);
            pages.Add(page);
            at += 2 + length;
        }

        if (pages.Count > 1)
            pages = [.. pages.Skip(1), pages[0]];
        var blob = new byte[SegmentFormat.HeaderLengthBytes + (pages.Count * SealedPage.LengthBytes)];
        Header.CopyTo(blob, 0);
        for (var i = 0; i < pages.Count; i++)
            SealedPage.Seal(Cipher, Header, (uint)i, pages[i], blob.AsSpan(SegmentFormat.HeaderLengthBytes + (i * SealedPage.LengthBytes)));
        var segment = Finish(SegmentReader.OpenAsync(Harness.Backend(BlobName, blob), Harness.Ring, new(BlobName, blob.Length), CancellationToken.None));
        _ = Finish(segment.FindAsync(new ChunkId(Harness.Bytes(1)), CancellationToken.None));

        // As opening does, though that keeps them all.
        _ = segment.Coverage.Numbers.Take(100).Count();
        _ = Finish(segment.ReadAllAsync(CancellationToken.None).CountAsync());
    }

    private static byte[] Page(byte[] content) => [(byte)content.Length, (byte)(content.Length >> 8), .. content];
}
