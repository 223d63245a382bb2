using System.Buffers.Binary;
using Strongroom.Blocks;
using Strongroom.Blocks.Iscsi.Scsi;

namespace Strongroom.Store.Fuzz.Targets;

/// <summary>SCSI commands at a logical unit of 64 KiB: 16 bytes of CDB, a number of bytes of data in two, and the data; as often as they come.</summary>
internal sealed class ScsiTarget : FuzzTarget
{
    private const int CommandBytes = 18;

    public override string Name => "scsi";

    // WRITE SAME and VERIFY copy pieces of the disk; nothing is larger than one transfer.
    public override long GreatestAllocationBytes => 64 << 20;

    public override IEnumerable<byte[]> Seeds =>
    [
        Command([0x00]),
        Command([0x12, 1, 0x83, 0, 255]),
        Command([0x1a, 0, 0x3f, 0, 255]),
        Command([0x15, 0x10, 0, 0, 16], [0, 0, 0, 0, 0x0a, 10, 4, 0x10, 0, 0, 0, 0, 0xff, 0xff, 0, 0]),
        Command([0x2a, 0, 0, 0, 0, 1, 0, 0, 1], new byte[512]),
        Command([0x2f, 2, 0, 0, 0, 1, 0, 0, 1], new byte[512]),
        Command([0x41, 8, 0, 0, 0, 8, 0, 0, 16], new byte[512]),
        Command([0x42, 0, 0, 0, 0, 0, 0, 0, 24], [0, 22, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0, 0]),
        Command([0x5f, 0, 0, 0, 0, 0, 0, 0, 24], [.. new byte[15], 7, .. new byte[8]]),
        Harness.Concat(Command([0x5f, 0, 0, 0, 0, 0, 0, 0, 24], [.. new byte[15], 7, .. new byte[8]]), Command([0x5f, 1, 1, 0, 0, 0, 0, 0, 24], [.. new byte[7], 7, .. new byte[16]])),
        Command([0x5e, 3, 0, 0, 0, 0, 0, 1, 0]),
        Command([0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], new byte[1024]),
        Command([0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], new byte[512]),
        Command([0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]),
        Command([0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0]),
        Command([0xa3, 0x0c, 0x80, 0, 0, 0, 0, 0, 16, 0]),
    ];

    public override void Run(byte[] input)
    {
        using var unit = new LogicalUnit(new MemoryDevice(), new("iqn.2026-01.test:x", "SERIAL-0", [0]), static failure => throw new InvalidOperationException("The device was asked for what it has not.", failure));
        var nexus = new Nexus("iqn.2026-01.test:i", 1);
        unit.Attentions.Open(nexus);
        var isTaken = true;
        for (var rest = input.AsSpan(); rest.Length >= CommandBytes;)
        {
            var length = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(rest[16..]), rest.Length - CommandBytes);
            var transfer = new Transfer(rest.Slice(CommandBytes, length).ToArray());
            var result = Finish(unit.ExecuteAsync(new(rest[..16].ToArray(), nexus, unit, transfer), CancellationToken.None));
            isTaken &= result.Status == ScsiStatus.Good;
            if (result.Sense is { } sense)
                unit.FormatSense(sense);
            rest = rest[(CommandBytes + length)..];
        }

        if (!isTaken)
            throw new StoreException(StoreErrorKind.Corrupt, "A command was refused.");
    }

    private static byte[] Command(byte[] cdb, byte[]? data = null) =>
        [.. cdb, .. new byte[16 - cdb.Length], (byte)((data?.Length ?? 0) >> 8), (byte)(data?.Length ?? 0), .. data ?? []];

    private sealed class Transfer(byte[] data) : IDataTransfer
    {
        public int AnnouncedBytes => data.Length;

        public ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(int lengthBytes, CancellationToken cancellationToken) => new(data.AsMemory(0, Math.Min(lengthBytes, data.Length)));

        public ValueTask SendAsync(long lengthBytes, DataFill fill, CancellationToken cancellationToken) => fill(0, new byte[lengthBytes], cancellationToken);
    }

    private sealed class MemoryDevice : IBlockDevice
    {
        private readonly byte[] _content = new byte[64 * 1024];

        public long LengthBytes => _content.Length;

        public bool IsReadOnly => false;

        public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            _content.AsMemory((int)offsetBytes, buffer.Length).CopyTo(buffer);
            return ValueTask.CompletedTask;
        }

        public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            data.CopyTo(_content.AsMemory((int)offsetBytes, data.Length));
            return ValueTask.CompletedTask;
        }

        public ValueTask ZeroAsync(long offsetBytes, long lengthBytes, CancellationToken cancellationToken)
        {
            _content.AsSpan((int)offsetBytes, (int)lengthBytes).Clear();
            return ValueTask.CompletedTask;
        }

        public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask<IReadOnlyList<BlockExtent>> DescribeAsync(long offsetBytes, long lengthBytes, int maximumExtents, CancellationToken cancellationToken) =>
            new([new(offsetBytes, lengthBytes, BlockKind.Data)]);
    }
}
