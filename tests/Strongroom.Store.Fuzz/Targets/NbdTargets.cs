using System.Buffers.Binary;
using Strongroom.Blocks;
using Strongroom.Blocks.Nbd;

namespace Strongroom.Store.Fuzz.Targets;

/// <summary>What an NBD server says to our client, as bytes; a refusal of the client's is one of the store's here.</summary>
internal abstract class NbdStreamTarget : FuzzTarget
{
    protected const long DiskBytes = 1L << 40;

    public sealed override void Run(byte[] input)
    {
        try
        {
            Read(new BufferedWire(new OneWayStream(input)));
        }
        catch (EndOfStreamException)
        {
            // Everything was read: the server hung up.
        }
        catch (IOException failure)
        {
            throw new StoreException(StoreErrorKind.Corrupt, failure.Message, failure);
        }
    }

    protected abstract void Read(BufferedWire wire);

    protected static byte[] Big16(int value) => Big64((ulong)value)[6..];

    protected static byte[] Big32(uint value) => Big64(value)[4..];

    protected static byte[] Big64(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes;
    }

    /// <summary>Reads give the server's words; what is written goes nowhere.</summary>
    private sealed class OneWayStream(byte[] input) : MemoryStream(input, writable: false)
    {
        public override bool CanWrite => true;

        public override void Write(byte[] buffer, int offset, int count)
        {
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
    }
}

/// <summary>The whole negotiation, from the greeting to the opened export.</summary>
internal sealed class NbdNegotiationTarget : NbdStreamTarget
{
    public override string Name => "nbd-negotiation";

    public override long GreatestAllocationBytes => 1 << 20;

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            byte[] greeting = [.. "NBDMAGIC"u8, .. "IHAVEOPT"u8, .. Big16(3)];
            byte[] contexts = [.. Reply(10, 4, [.. Big32(7), .. "base:allocation"u8]), .. Reply(10, 4, [.. Big32(8), .. "qemu:dirty-bitmap:b"u8]), .. Reply(10, 1, [])];
            byte[] go =
            [
                .. Reply(7, 3, [.. Big16(3), .. Big32(1), .. Big32(4096), .. Big32(32 << 20)]),
                .. Reply(7, 3, [.. Big16(1), .. "name"u8]),
                .. Reply(7, 3, [.. Big16(0), .. Big64((ulong)DiskBytes), .. Big16(0x103)]),
                .. Reply(7, 1, []),
            ];
            yield return [.. greeting, .. Reply(11, 1, []), .. contexts, .. go];
            yield return [.. greeting, .. Reply(11, 0x80000001, []), .. Reply(8, 1, []), .. contexts, .. go];
            yield return [.. greeting, .. Reply(11, 0x80000001, []), .. Reply(8, 0x80000001, []), .. go];
        }
    }

    protected override void Read(BufferedWire wire)
    {
        var channel = new NbdOptionChannel(wire, CancellationToken.None);
        var greeting = channel.GreetAsync();
        Finish(new ValueTask(greeting));
        var export = Finish(new NbdHandshake(channel, "vda").RunAsync([NbdMetaContexts.BaseAllocation, NbdMetaContexts.DirtyBitmap("b")]));

        // Whatever the server said, what is believed is sound.
        if (export.LengthBytes is < 0 or > long.MaxValue - 511
            || export.MinimumBlockSizeBytes is 0 or > 65536
            || export.MaximumPayloadBytes < export.MinimumBlockSizeBytes
            || export.MaximumPayloadBytes > 32 << 20
            || (export.Headers == NbdHeaders.Simple && export.MetaContexts.Count > 0))
            throw new InvalidOperationException("An export is open that cannot be.");
    }

    private static byte[] Reply(uint option, uint type, byte[] data) => [.. Big64(0x0003e889045565a9), .. Big32(option), .. Big32(type), .. Big32((uint)data.Length), .. data];
}

/// <summary>Replies to three requests under way: two reads and a block status. The first byte says which headers were agreed on.</summary>
internal sealed class NbdReplyTarget : NbdStreamTarget
{
    private const int ReadBytes = 4096;

    public override string Name => "nbd-replies";

    public override long GreatestAllocationBytes => 1 << 20;

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            byte[] data = [.. Big64(8192), .. new byte[2048]];
            byte[] hole = [.. Big64(8192 + 2048), .. Big32(2048)];
            byte[] error = [.. Big32(5), .. Big16(2), .. "no"u8];
            yield return [0, .. Simple(1, 0), .. new byte[ReadBytes], .. Simple(2, 5)];
            yield return
            [
                1,
                .. Chunk(0, 1, 1, data), .. Chunk(1, 2, 1, hole), .. Chunk(1, 0x8001, 2, error),
                .. Chunk(0, 5, 3, [.. Big32(7), .. Big32(1 << 20), .. Big32(3)]), .. Chunk(1, 5, 3, [.. Big32(8), .. Big32(1 << 20), .. Big32(1), .. Big32(1 << 30), .. Big32(0)]),
            ];
            yield return
            [
                2,
                .. Extended(0, 1, 1, data), .. Extended(1, 2, 1, hole), .. Extended(1, 0x8001, 2, error),
                .. Extended(0, 6, 3, [.. Big32(7), .. Big32(1), .. Big64(1UL << 40), .. Big64(3)]), .. Extended(1, 6, 3, [.. Big32(8), .. Big32(0), .. Big64(1UL << 39), .. Big64(1)]),
            ];
        }
    }

    protected override void Read(BufferedWire wire)
    {
        var headers = (NbdHeaders)(Finish(wire.ReadSmallAsync(1, CancellationToken.None)).Span[0] % 3);
        var contexts = new Dictionary<string, uint>(StringComparer.Ordinal);
        if (headers != NbdHeaders.Simple)
            contexts = new(StringComparer.Ordinal) { ["base:allocation"] = 7, ["qemu:dirty-bitmap:b"] = 8 };
        var export = new NbdExport("", DiskBytes, true, true, 1, 4096, 32 << 20, headers, contexts);
        var underWay = new Dictionary<ulong, NbdRequest>
        {
            [1] = new(1, 0, 8192, ReadBytes, new byte[ReadBytes]),
            [2] = new(2, 0, 8192, ReadBytes, new byte[ReadBytes]),
            [3] = new(3, 7, 8192, 1L << 40, Memory<byte>.Empty),
        };
        var receiver = new NbdReplyReceiver(wire, export, underWay.GetValueOrDefault, Done);
        while (underWay.Count > 0)
            Finish(receiver.ReceiveAsync(CancellationToken.None));

        void Done(NbdRequest request)
        {
            underWay.Remove(request.Cookie);
            if (request.Error is not null)
                return;
            var isWhole = request.Command == 7
                ? request.Status.Count == 2 && request.Status.Values.All(extents => extents.Count > 0 && extents.All(extent => extent.LengthBytes > 0))
                : headers == NbdHeaders.Simple || request.Coverage.IsExactly(request.OffsetBytes, request.LengthBytes);
            if (!isWhole)
                throw new InvalidOperationException("A request has ended well that was not answered.");
        }
    }

    private static byte[] Simple(ulong cookie, uint error) => [.. Big32(0x67446698), .. Big32(error), .. Big64(cookie)];

    private static byte[] Chunk(int flags, int type, ulong cookie, byte[] data) =>
        [.. Big32(0x668e33ef), .. Big16(flags), .. Big16(type), .. Big64(cookie), .. Big32((uint)data.Length), .. data];

    private static byte[] Extended(int flags, int type, ulong cookie, byte[] data) =>
        [.. Big32(0x6e8a278c), .. Big16(flags), .. Big16(type), .. Big64(cookie), .. Big64(8192), .. Big64((ulong)data.Length), .. data];
}
