using System.Security.Cryptography;

namespace Strongroom.Backup.FileRecovery;

/// <summary>What opens a mount: made for it, kept in memory alone, and gone with it.</summary>
/// <param name="UserName">The initiator's name in CHAP.</param>
/// <param name="Password">The initiator's secret: 15 letters and digits, as Azure's clients expect it (89 bits).</param>
/// <param name="TargetName">The target's own name in CHAP.</param>
/// <param name="TargetPassword">What the target proves: 16 letters and digits, the most that Windows takes.</param>
/// <param name="DownloadKey">Stands in the URL of the script for Windows, which is fetched without signing in.</param>
public sealed record RecoverySecrets(string UserName, string Password, string TargetName, string TargetPassword, string DownloadKey)
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <param name="vaultKey">Part of the name, as in the service.</param>
    /// <param name="mountId">The other part.</param>
    public static RecoverySecrets New(Guid vaultKey, Guid mountId) => new(
        $"{vaultKey:N}-{mountId:N}",
        RandomNumberGenerator.GetString(Alphabet, 15),
        $"strongroom-{mountId:N}",
        RandomNumberGenerator.GetString(Alphabet, 16),
        RandomNumberGenerator.GetString(Alphabet, 43));

    /// <summary>Without the secrets.</summary>
    public override string ToString() => UserName;
}
