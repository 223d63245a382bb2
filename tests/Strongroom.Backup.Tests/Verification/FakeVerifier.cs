using Strongroom.Backup.Machines;
using Strongroom.Backup.Verification;

namespace Strongroom.Testing;

/// <summary>Boots nothing: reads the first block of each disk, and answers what a test says.</summary>
public sealed class FakeVerifier : IMachineVerifier
{
    /// <summary>What a picture begins with.</summary>
    public static byte[] Picture { get; } = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, 1, 2, 3];

    private int _begun;

    public string Kind { get; set; } = "Folder";

    public int Begun => Volatile.Read(ref _begun);

    public VerificationTerms? Terms { get; private set; }

    /// <summary>May wait or throw.</summary>
    public Func<CancellationToken, Task<MachineVerification>> Answer { get; set; } =
        static _ => Task.FromResult(new MachineVerification(VerificationProofs.GuestAgent, TimeSpan.FromSeconds(12.34), "The guest agent answered.", Picture));

    public async Task<MachineVerification> VerifyAsync(VirtualMachine machine, IReadOnlyList<VerifiedDisk> disks, VerificationTerms terms, HostRun run, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _begun);
        Terms = terms;
        foreach (VerifiedDisk disk in disks)
        {
            await disk.Content.ReadAsync(0, new byte[512], cancellationToken);
        }
        return await Answer(cancellationToken);
    }
}
