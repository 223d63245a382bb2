using System.Buffers.Binary;
using System.Security.Cryptography;
using Strongroom.Store.Log;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Fuzz.Targets;

/// <summary>The bytes of an entry with a valid MAC over whatever they are.</summary>
internal sealed class LogEntryTarget : FuzzTarget
{
    public override string Name => "log-entry";

    public override IEnumerable<byte[]> Seeds => [LogPayloadTarget.Entry(2, LogEntryType.Reserve, new byte[32], new byte[8])];

    public override void Run(byte[] input)
    {
        if (input.Length >= 32)
            HMACSHA256.HashData(Harness.Ring.LogKey, input.AsSpan(0, input.Length - 32), input.AsSpan(input.Length - 32));
        if (!LogEntry.TryOpen(Harness.Ring, 2, input, out _))
            throw StoreException.Corrupt("Refused without an exception");
    }
}

/// <summary>An authentic entry that says what the input says, replayed after a GENESIS. Input: type u16, payload.</summary>
internal sealed class LogPayloadTarget : FuzzTarget
{
    private static readonly byte[] Salt = new byte[LogEntry.SaltLengthBytes];
    private static readonly DateTimeOffset Time = DateTimeOffset.UnixEpoch.AddYears(56);
    private static readonly byte[] Genesis = Entry(1, LogEntryType.Genesis, new byte[32], [.. Harness.Ring.VaultId.ToByteArray(true), 1, 0, 0, 0]);
    private static readonly byte[] GenesisHash = SHA256.HashData(Genesis);

    public override string Name => "log-payload";

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var image = new SnapshotImage(0, "disk", new ImageRef(1 << 20, 1, Harness.SlotOf(1)));
            var draft = new SnapshotDraft { Id = new(new Guid(Harness.Bytes(8, 16))), ItemId = "vm", Images = [image], Configuration = "{}"u8.ToArray() };
            yield return Input(LogEntryType.Commit, SnapshotPayload.Format(draft, Time));
            yield return Input(LogEntryType.Reserve, new PayloadWriter().UInt32(1).UInt32(1024).ToArray());
            yield return Input(LogEntryType.Tombstone, new PayloadWriter().Guid(Guid.Empty).Int64(5).ToArray());
            yield return Input(LogEntryType.Void, new PayloadWriter().UInt32(1).Int64(1).Raw(new byte[32]).ToArray());
            var packs = PackRangeSet.Of([(3u, 4u), (9u, 9u)]);
            yield return Input(LogEntryType.Condemn, new CondemnPayload(1, 0, packs).Format());
            yield return Input(LogEntryType.Sweep, new SweepPayload(1, packs, packs, 5, [1]).Format());
            yield return Input(LogEntryType.Key, new PayloadWriter().UInt32(2).Raw(new byte[32]).UInt32(2).ToArray());
            yield return Input(LogEntryType.Checkpoint, new VaultState().FormatCheckpoint());
        }
    }

    public static byte[] Entry(long sequence, LogEntryType type, byte[] previous, byte[] payload) =>
        LogEntry.Seal(Harness.Ring, sequence, type, previous, Guid.Empty, Salt, Time, payload).Bytes;

    public override void Run(byte[] input)
    {
        if (input.Length < 2)
            throw StoreException.Corrupt("Too short for this harness");
        var type = (LogEntryType)BinaryPrimitives.ReadUInt16LittleEndian(input);
        var backend = Harness.Backend(LogEntry.NameOf(1), Genesis);
        _ = Finish(backend.PutIfAbsentAsync(LogEntry.NameOf(2), Entry(2, type, GenesisHash, input[2..]), CancellationToken.None));
        using var log = Finish(VaultLog.OpenAsync(backend, Harness.Ring, TimeProvider.System, CancellationToken.None));
        if (log.Damage.Count > 0)
            throw StoreException.Corrupt(log.Damage[0]);
    }

    private static byte[] Input(LogEntryType type, byte[] payload) => [(byte)type, (byte)((int)type >> 8), .. payload];
}
