namespace Strongroom.Backup.Policies;

/// <summary>Why a policy is refused.</summary>
internal static class PolicyRefusals
{
    public static BackupRefusedException Input(string message) => new(BackupRefusal.InvalidPolicyInput, message);

    public static BackupRefusedException Retention(string message) => new(BackupRefusal.PolicyRetentionInvalid, message);

    public static BackupRefusedException Parameter(string name, string message) => new(BackupRefusal.InvalidPolicyParameter, message, name);

    public static BackupRefusedException InstantRetention(string message) => new(BackupRefusal.InstantRetentionExceedsVaulted, message);
}
