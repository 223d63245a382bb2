using Strongroom.Backup.Machines;
using Strongroom.Blocks;

namespace Strongroom.Backup.Verification;

/// <summary>How a machine proved that it has booted.</summary>
public static class VerificationProofs
{
    public const string GuestAgent = "GuestAgent";
    public const string Console = "Console";
}

/// <summary>The door to hosts that can boot a machine in isolation; filled by Strongroom.Workloads, once for each kind of host.</summary>
/// <remarks>Thread-safe.</remarks>
public interface IMachineVerifier
{
    /// <summary>The kind of host whose machines it boots, such as <c>Libvirt</c>.</summary>
    string Kind { get; }

    /// <summary>
    /// Boots a machine without any network, with disks whose changes are thrown away, and waits until its guest agent answers or its console says what was asked for.
    /// When it returns or throws nothing of it is left on the host; what an earlier run of the same job has left is removed first.
    /// </summary>
    /// <param name="machine">As it was when it was backed up.</param>
    /// <param name="disks">Those that are in the recovery point; read-only, and the caller's to dispose of.</param>
    /// <param name="run">The run of the job: what is made on the host bears its name.</param>
    /// <exception cref="MachineException">It cannot be tried: no host, a host that does not answer, a machine without a description. The message is for the machine's owner.</exception>
    Task<MachineVerification> VerifyAsync(VirtualMachine machine, IReadOnlyList<VerifiedDisk> disks, VerificationTerms terms, HostRun run, CancellationToken cancellationToken);
}

/// <summary>A disk of the recovery point.</summary>
public sealed record VerifiedDisk(MachineDisk Disk, IBlockSource Content);

/// <param name="Timeout">From the start of the machine on.</param>
/// <param name="ConsolePattern">As in <see cref="RestoreVerification"/>; null: only the guest agent counts.</param>
/// <param name="HostId">ARM id of the host to boot on; null: the machine's own.</param>
public sealed record VerificationTerms(TimeSpan Timeout, string? ConsolePattern, string? HostId);

/// <summary>What came of it.</summary>
/// <param name="By">One of <see cref="VerificationProofs"/>; null: the machine has not proven itself.</param>
/// <param name="Took">From its start until the proof, or until it was given up.</param>
/// <param name="Message">A sentence for the machine's owner.</param>
/// <param name="Screenshot">The console at the end as PNG; empty where none could be taken.</param>
public sealed record MachineVerification(string? By, TimeSpan Took, string Message, ReadOnlyMemory<byte> Screenshot);
