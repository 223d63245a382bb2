using System.Security.Cryptography;
using Strongroom.Store.Images;
using Strongroom.Store.Journals;
using Strongroom.Store.Scrub;

namespace Strongroom.Store.Fuzz.Targets;

/// <summary>The records of an authentic journal. Input: their count u8, the records.</summary>
internal sealed class JournalTarget : FuzzTarget
{
    public override string Name => "journal";

    /// <summary>A hole, the parent's leaf, and a leaf of its own.</summary>
    public override IEnumerable<byte[]> Seeds =>
        [[3, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, .. new byte[ImageGeometry.NodeLengthBytes]]];

    public override void Run(byte[] input)
    {
        if (input.Length < 1)
            throw StoreException.Corrupt("Too short for this harness");
        foreach (var record in JournalFormat.Parse(input.AsSpan(1), input[0]))
            _ = record.SplitCount;
    }
}

/// <summary>A scrub ledger with an authentic seal over whatever the lines are. Input: count u8, the lines.</summary>
internal sealed class LedgerTarget : FuzzTarget
{
    private static readonly byte[] Key = HKDF.DeriveKey(HashAlgorithmName.SHA256, Harness.Ring.SealKey, 32, new byte[16], "strongroom scrub v1"u8.ToArray());

    public override string Name => "scrub-ledger";

    public override IEnumerable<byte[]> Seeds => [[2, .. new byte[48]]];

    public override void Run(byte[] input)
    {
        if (input.Length < 1)
            throw StoreException.Corrupt("Too short for this harness");
        byte[] header = [.. "SRSCRUB1"u8, 1, 0, 0, 0, input[0], 0, 0, 0, .. new byte[16], .. Harness.Ring.VaultId.ToByteArray(true)];
        var sealedLines = new byte[input.Length - 1 + 16];
        using var aes = new AesGcm(Key, 16);
        aes.Encrypt(new byte[12], input.AsSpan(1), sealedLines.AsSpan(0, input.Length - 1), sealedLines.AsSpan(input.Length - 1), header);
        if (!LedgerFormat.TryOpen(Harness.Ring, Harness.Concat(header, sealedLines), []))
            throw StoreException.Corrupt("Refused without an exception");
    }
}
