using System.Security.Cryptography;
using System.Text;
using Strongroom.Store.Keys;

namespace Strongroom.Store.Fuzz.Targets;

internal sealed class VaultBirthTarget : FuzzTarget
{
    public override string Name => "vault-json";

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var backend = new MemoryBackend();
            _ = Finish(VaultBirth.TryWriteAsync(backend, Harness.Ring.VaultId, DateTimeOffset.UnixEpoch, CancellationToken.None));
            var content = new byte[Finish(backend.GetLengthAsync(VaultBirth.Name, CancellationToken.None))!.Value];
            _ = Finish(backend.ReadAsync(VaultBirth.Name, 0, content, CancellationToken.None));
            yield return content;
        }
    }

    public override void Run(byte[] input) => Finish(VaultBirth.ReadAsync(Harness.Backend(VaultBirth.Name, input), CancellationToken.None));
}

internal sealed class KeyGenerationTarget : FuzzTarget
{
    public override string Name => "key-generation";

    public override IEnumerable<byte[]> Seeds =>
    [
        KeyGeneration.Seal(1, [new KeyWrap("file", "file:00", [1, 2, 3]), new KeyWrap("escrow", "rsa:00", [4])], Harness.Ring, Harness.Bytes(6)).Format(),
    ];

    public override void Run(byte[] input)
    {
        var generation = KeyGeneration.Parse("keys/00000001", input);
        generation.Open(Harness.Ring.VaultId, Harness.Bytes(6));
    }
}

internal sealed class KeyRingTarget : FuzzTarget
{
    public override string Name => "key-ring";

    public override IEnumerable<byte[]> Seeds => [Harness.Ring.Format()];

    public override void Run(byte[] input) => KeyRing.Parse(input);
}

internal sealed class EscrowWrapTarget : FuzzTarget
{
    public override string Name => "escrow-wrap";

    public override IEnumerable<byte[]> Seeds => [EscrowWrap.Format(Harness.Bytes(1), Harness.Bytes(2))];

    public override void Run(byte[] input)
    {
        try
        {
            EscrowWrap.Parse(input);
        }
        catch (CryptographicException failure)
        {
            // What its callers expect of it.
            throw new StoreException(StoreErrorKind.Corrupt, failure.Message, failure);
        }
    }
}

internal sealed class MasterKeyTarget : FuzzTarget
{
    public override string Name => "master-key-file";

    public override IEnumerable<byte[]> Seeds => [Encoding.ASCII.GetBytes($"strongroom-master-key-v1\n{Convert.ToBase64String(new byte[32])}\n")];

    public override void Run(byte[] input) => MasterKeyFile.Parse(Encoding.ASCII.GetString(input), "a file");
}
