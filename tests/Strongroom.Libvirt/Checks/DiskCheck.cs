using System.Buffers.Binary;

namespace Strongroom.Libvirt.Checks;

/// <summary>
/// Looks at a disk of a live machine, as restored or as its host keeps it while the machine is off. The disk is only read;
/// what is changed is a copy.
/// </summary>
/// <param name="NeededRecovery">Whether the journal of the file system had to be replayed: never so for one that was frozen or unmounted.</param>
/// <param name="IsClean">Whether e2fsck finds nothing wrong, after the replay.</param>
/// <param name="Report">What e2fsck said.</param>
/// <param name="Records">What the writer's file holds; no record where the file is not there.</param>
internal sealed record DiskCheck(bool NeededRecovery, bool IsClean, string Report, Records Records)
{
    /// <param name="image">The disk: partitioned with ext4 in the second partition, or ext4 as a whole.</param>
    /// <param name="format">raw or qcow2.</param>
    /// <param name="recordsFile">In the file system.</param>
    public static async Task<DiskCheck> RunAsync(string image, CancellationToken cancellationToken, string format = "raw", string recordsFile = "/records")
    {
        using var folder = new TempFolder();
        var disk = folder.Combine("disk.raw");
        await ProgramAsync("qemu-img", "qemu-utils", ["convert", "-U", "-f", format, "-O", "raw", image, disk], cancellationToken);
        var fileSystem = folder.Combine("ext4");
        await ProgramAsync("dd", "coreutils", [$"if={disk}", $"of={fileSystem}", "bs=1M", "iflag=skip_bytes", $"skip={FileSystemOffset(disk)}", "conv=sparse", "status=none"], cancellationToken);

        var header = await ProgramAsync("dumpe2fs", "e2fsprogs", ["-h", fileSystem], cancellationToken);
        var neededRecovery = header.StandardOutput.Contains("needs_recovery", StringComparison.Ordinal);
        var report = "";
        if (neededRecovery)
            report = (await CommandResult.RunAsync(Peer.RequireOrSkip("e2fsck", "e2fsprogs"), ["-y", "-E", "journal_only", fileSystem], null, cancellationToken)).StandardOutput;
        var check = await CommandResult.RunAsync(Peer.RequireOrSkip("e2fsck", "e2fsprogs"), ["-fn", fileSystem], null, cancellationToken);

        var records = folder.Combine("records");
        await ProgramAsync("debugfs", "e2fsprogs", ["-R", $"dump {recordsFile} {records}", fileSystem], cancellationToken);
        var found = File.Exists(records) ? Records.Read(await File.ReadAllBytesAsync(records, cancellationToken)) : new Records(0, null);
        return new(neededRecovery, check.ExitCode == 0, report + check.StandardOutput + check.StandardError, found);
    }

    private static async Task<CommandResult> ProgramAsync(string program, string package, IEnumerable<string> arguments, CancellationToken cancellationToken) =>
        (await CommandResult.RunAsync(Peer.RequireOrSkip(program, package), arguments, null, cancellationToken)).Succeeded();

    // The second entry of an MBR (16 bytes at 462, type at 4 and first sector at 8), or the whole disk.
    private static long FileSystemOffset(string disk)
    {
        using var file = File.OpenRead(disk);
        var sector = new byte[512];
        file.ReadExactly(sector);
        return sector is [.., 0x55, 0xAA] && sector[466] == 0x83 ? 512L * BinaryPrimitives.ReadUInt32LittleEndian(sector.AsSpan(470)) : 0;
    }
}
