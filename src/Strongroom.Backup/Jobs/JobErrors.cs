using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.Jobs;

/// <summary>The errors that jobs end with: Azure Backup's numbers and titles, our words.</summary>
public static class JobErrors
{
    public static JobError LocationMismatch(ProtectedItem item, ItemSource source, Vault vault) => new(400175, item.Kind == ItemKind.FileShare ? "UserErrorFileShareVaultLocationMismatch" : "UserErrorVmVaultLocationMismatch",
        $"{item.Kind.NounAtBegin()} '{item.FriendlyName}' is in '{source.Location}', the vault is in '{vault.Location}'.", ["Protect it in a vault of its own location."]);

    public static JobError ProtectedElsewhere(ProtectedItem item, string? vault) => new(400050, item.Kind == ItemKind.FileShare ? "UserErrorFileShareAlreadyProtected" : "UserErrorVmAlreadyProtected",
        $"{item.Kind.NounAtBegin()} '{item.FriendlyName}' is registered with {(vault is null ? "another Recovery Services vault" : $"Recovery Services vault '{vault}'")} already.",
        ["Stop protection there and delete its backup data, then protect it here."]);

    public static JobError Cancelled() => new(400158, "UserErrorJobSuccessfullyCancelled", "The job was cancelled.", ["Start it again when it suits."]);

    public static JobError Machine(MachineException problem) => problem.Problem switch
    {
        MachineProblem.NotFound => new(400136, "UserErrorVmNotFoundV2", problem.Message, ["Check that the machine is still on its host, or stop its protection."]),
        MachineProblem.ToolMissing => new(400196, "UserErrorHostToolMissing", problem.Message, ["Install what is missing on the server and start the job again."]),
        MachineProblem.DiskInUse => new(400349, "UserErrorDiskInUse", problem.Message, ["Shut the machine down and start the backup again: a host of kind Folder backs up machines at rest."]),
        MachineProblem.HostUnreachable => new(400003, "UserErrorHostUnreachable", problem.Message, ["Check that the host runs and lets the server in (its uri and credentials), then start the job again."]),
        MachineProblem.ScratchFull => new(400040, "UserErrorScratchSpaceFull", problem.Message, ["Give the host's scratchPath more room, or choose a time at which the machine writes less, then start the backup again."]),
        MachineProblem.HostFailed => new(400002, "BackUpOperationFailed", problem.Message, ["Read the message and the host's log, then start the backup again."]),
        MachineProblem.BadDescription => new(400349, "UserErrorMachineDescription", problem.Message, ["Mend the machine's vm.json and start the backup again."]),
        MachineProblem.DiskUnsupported => new(400367, "UserErrorDiskUnsupported", problem.Message, ["Convert the disk or its chain to a format that is read (raw, qcow2, fixed VHD), move what it refers to below the allowed folders, or exclude it from the backup."]),
        _ => new(400039, "DiskUnreadable", problem.Message, ["Check that the server may read the machine's disks, then start the job again."]),
    };

    /// <summary>What keeps a restore from making a machine or from replacing its disks.</summary>
    public static JobError MachineOfRestore(MachineException problem) => problem.Problem switch
    {
        MachineProblem.NotFound => new(400136, "UserErrorVmNotFoundV2", problem.Message, ["Restore it as a new machine (AlternateLocation), or its disks alone (RestoreDisks)."]),
        MachineProblem.DiskInUse => new(400349, "UserErrorVmNotInDesirableState", problem.Message, ["Shut the machine down and start the restore again."]),
        MachineProblem.NameTaken => new(400349, "UserErrorCrpReportedUserError", problem.Message, ["Choose another name, or replace the disks of the machine that is there (OriginalLocation)."]),
        MachineProblem.NoHost => new(400309, "UserErrorGenericResourceNotFound", problem.Message, ["Add a host to the resource group (Strongroom.Fabric/hosts), or choose a group that has one."]),
        MachineProblem.HostUnreachable => new(400003, "UserErrorHostUnreachable", problem.Message, ["Check that the host runs and lets the server in (its uri and credentials), then start the restore again."]),
        MachineProblem.DiskUnsupported => new(400367, "UserErrorDiskUnsupported", problem.Message, ["Restore it as a new machine (AlternateLocation), or its disks alone (RestoreDisks)."]),
        _ => new(400003, "RestoreOperationFailed", problem.Message, ["Check that the server may write to the host's folder and that it has room, then start the restore again."]),
    };

    public static JobError Share(ShareException problem) => problem.Problem switch
    {
        ShareProblem.NotFound => new(400136, "UserErrorFileShareNotFound", problem.Message, ["Check that the share is still on its file server, or stop its protection."]),
        ShareProblem.ServerFailed => new(400003, "UserErrorFileServerUnreachable", problem.Message, ["Check that the file server runs and lets Strongroom in, then start the job again."]),
        _ => new(400039, "FileShareUnreadable", problem.Message, ["Check that the server may read the share's folder, then start the job again."]),
    };

    public static JobError ShareOfRestore(ShareException problem) => problem.Problem switch
    {
        ShareProblem.NotFound => new(400136, "UserErrorFileShareNotFound", problem.Message, ["Restore to a share that is there (AlternateLocation)."]),
        ShareProblem.ServerFailed => new(400003, "UserErrorFileServerUnreachable", problem.Message, ["Check that the file server runs and lets Strongroom in, then start the restore again."]),
        _ => new(400003, "RestoreOperationFailed", problem.Message, ["Check that the server may write to the share's folder and that it has room, then start the restore again."]),
    };

    /// <summary>The warning of a backup that has a recovery point, and not every file in it as it is.</summary>
    public static JobError FilesNotBackedUp(SharePoint point) => new(400053, "FilesNotBackedUp",
        Listed($"{point.ProblemCount} files or folders could not be backed up as they are", point.Problems, point.ProblemCount),
        ["Read the list, mend the cause and start the backup again; all other files are in the recovery point."]);

    /// <summary>The warning of a restore that left something out.</summary>
    public static JobError FilesNotRestored(TreeRestoreResult restored) => new(400054, "FilesNotRestored",
        Listed($"{restored.ProblemCount} files or folders could not be restored, or not as they were", [.. restored.Problems.Take(SharePoint.MaxProblems).Select(SharePoint.Text)], restored.ProblemCount),
        ["Read the list, mend the cause and restore these files again."]);

    public static JobError NothingRestored(TreeRestoreResult restored) => RestoreFailed("Nothing was restored. "
        + Listed($"{restored.ProblemCount} files or folders could not be restored", [.. restored.Problems.Take(SharePoint.MaxProblems).Select(SharePoint.Text)], restored.ProblemCount));

    private static string Listed(string what, IReadOnlyCollection<string> lines, long count) =>
        $"{what}: {string.Join("; ", lines)}{(count > lines.Count ? $"; and {count - lines.Count} more" : "")}.";

    public static JobError ResourceGroupMissing(string group) => new(400141, "UserErrorResourceGroupNotFound",
        $"The target resource group '{group}' does not exist.", ["Create it, or restore to another one."]);

    public static JobError SubnetMissing(string network) => new(400138, "UserErrorSubnetNotFoundV2",
        $"'{network}' does not exist.", ["Create it, or name another one."]);

    public static JobError DiskChanged(IEnumerable<string> changes) => new(400052, "DiskChangedDuringBackup",
        "No recovery point was made, because what was read is not the machine at one moment: " + string.Join("; ", changes) + ".",
        ["Shut the machine down, or take a snapshot of its disks, and start the backup again."]);

    /// <summary>What a vault's store refuses for a reason that somebody has set, or null when its message says it all.</summary>
    public static JobError? OfStore(StoreException problem) => problem.Kind switch
    {
        StoreErrorKind.Locked => new(400060, "UserErrorRecoveryPointLocked", problem.Message, ["Wait until the lock has ended, or lift the legal hold, then start the job again."]),
        StoreErrorKind.Refused => new(400060, "UserErrorOperationNotAllowedByVaultPolicy", problem.Message, ["Read which rule of the vault forbids it; change the rule where that is allowed, then start the job again."]),
        StoreErrorKind.AccessDenied => new(400061, "UserErrorVaultStorageAccessDenied", problem.Message, ["Check the credentials of the vault's storage in the server's environment, or for a vault in a folder its owner, mode and mount, then start the job again."]),
        _ => null,
    };

    public static JobError BackupFailed(string message) => new(400002, "BackUpOperationFailed", message, ["Read the message, mend the cause and start the backup again."]);

    public static JobError RestoreFailed(string message) => new(400003, "RestoreOperationFailed", message, ["Read the message, mend the cause and start the restore again."]);

    public static JobError VerificationFailed(string message) => new(400003, "RestoreVerificationFailed", message,
        ["Look at the picture of the console that is kept with the recovery point, if there is one.", "Restore the recovery point as a new machine to see for yourself."]);

    public static JobError StorageAccountMissing(string account) => new(400048, "UserErrorBCMRestoreStorageAccountNotFound",
        $"Storage account '{account}' does not exist.", ["Create it, or restore to another one."]);

    public static JobError DeleteFailed(string message) => new(400002, "DeleteBackupDataFailed", message, ["Mend the cause and delete again."]);

    public static JobError Interrupted(int attempts) => new(400002, "JobInterrupted",
        $"The server ended {attempts} times while it worked on this job.", ["Look at the server's log, then start the job again."]);

    public static JobError Internal(string operation) => new(400002, "InternalError",
        $"{operation} ended with an internal error; the server's log has it under this job's id.", ["Look at the server's log."]);
}
