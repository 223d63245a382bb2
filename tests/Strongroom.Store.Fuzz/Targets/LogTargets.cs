using System.Security.Cryptography;
using Strongroom.Store.Log;

namespace Strongroom.Store.Fuzz.Targets;

/// <summary>The bytes of an entry with a valid MAC over whatever they are.</summary>
internal sealed class LogEntryTarget : FuzzTarget
{
    public override string Name => "log-entry";

    public override IEnumerable<byte[]> Seeds => [LogEntry.Seal(Harness.Ring, 2, LogEntryType.Reserve, new byte[32], Guid.Empty, new byte[16], DateTimeOffset.UnixEpoch, new byte[8]).Bytes];

    public override void Run(byte[] input)
    {
        if (input.Length >= 32)
            HMACSHA256.HashData(Harness.Ring.LogKey, input.AsSpan(0, input.Length - 32), input.AsSpan(input.Length - 32));
        if (!LogEntry.TryOpen(Harness.Ring, 2, input, out _))
            throw StoreException.Corrupt("Refused without an exception");
    }
}
