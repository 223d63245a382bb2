using System.Globalization;

namespace Strongroom.Backup.FileRecovery;

/// <summary>The <c>scriptNameSuffix</c> of a mount: what Azure's clients make the script's file name and its password of.</summary>
public static class ScriptNames
{
    /// <summary>
    /// <c>machine_1_location_vault_time_</c>, 32 hexadecimal digits, the password of 15 characters, and digits. Clients look for the last underscore, take the
    /// 15 characters from 33 behind it on for the password, and name the file by the rest: so no part has an underscore of its own behind the last one.
    /// </summary>
    public static string Suffix(FileRecoveryMount mount, string location) => string.Create(CultureInfo.InvariantCulture,
        $"{FileName(mount.Point.Machine.Name)}_1_{FileName(location)}_{Digits(mount.VaultKey)}_{mount.Point.Time.UtcDateTime:yyyyMMddHHmm}_{mount.Id:N}{mount.Secrets.Password}{mount.Tail}");

    /// <summary>A name made fit for a file's: letters, digits, hyphens and dots of ASCII, 60 at most, a letter or digit first.</summary>
    public static string FileName(string name)
    {
        var fit = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' ? c : '-')).TrimStart('-', '.');
        return fit.Length == 0 ? "vm" : fit.Length > 60 ? fit[..60] : fit;
    }

    /// <summary>A vault by a number, as the service has it.</summary>
    private static string Digits(Guid vaultKey) => BitConverter.ToUInt64(vaultKey.ToByteArray(), 8).ToString(CultureInfo.InvariantCulture);
}
