using System.Security.Cryptography;
using Strongroom.Blocks.Iscsi;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>Who may log in over iSCSI: from a file, or made up. Never an argument's value, which every user of the machine can read.</summary>
/// <param name="Initiator">What an initiator proves.</param>
/// <param name="Target">What the target proves to an initiator that asks; null refuses those that ask.</param>
/// <param name="NewSecret">The initiator's secret where it was made up and must be shown; null where it was in a file.</param>
internal sealed record ChapFile(ChapCredentials Initiator, ChapCredentials? Target, string? NewSecret)
{
    private const string Letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";

    /// <summary>Some initiators take no more.</summary>
    private const int SecretLength = 16;

    /// <summary>A name and a secret on a line; on a second line those of the target. Without a file both are made up.</summary>
    /// <exception cref="UsageException">The file is not so.</exception>
    public static ChapFile ReadOrMake(string? path)
    {
        if (path is null)
        {
            var secret = RandomNumberGenerator.GetString(Letters, SecretLength);
            return new(new("strongroom", secret), null, secret);
        }

        var lines = KeyText.Read(path).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (lines.Length is 0 or > 2)
            throw new UsageException($"'{path}' must have one line with a name and a secret, and may have a second one with the target's own.");
        var (initiator, target) = (Parse(path, lines[0]), lines.Length == 2 ? Parse(path, lines[1]) : null);
        return target?.HasSecretOf(initiator) == true
            ? throw new UsageException($"The two secrets of '{path}' must differ.")
            : new(initiator, target, null);
    }

    private static ChapCredentials Parse(string path, string line)
    {
        if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is not [var name, var secret])
            throw new UsageException($"A line of '{path}' is not a name, a space and a secret.");
        try
        {
            return new(name, secret);
        }
        catch (ArgumentException)
        {
            throw new UsageException($"A line of '{path}' cannot be used for CHAP: names are printable ASCII, secrets too, and have {ChapCredentials.ShortestSecretBytes} to 255 characters.");
        }
    }
}
