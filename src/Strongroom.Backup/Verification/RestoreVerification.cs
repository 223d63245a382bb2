using System.Text.RegularExpressions;

namespace Strongroom.Backup.Verification;

/// <summary>When recovery points of a policy's items are verified.</summary>
public static class VerificationFrequencies
{
    public const string EveryBackup = "EveryBackup";
    public const string Daily = "Daily";
    public const string Weekly = "Weekly";
}

/// <summary>The option of a policy that recovery points are booted to prove that they can be.</summary>
public sealed record RestoreVerification
{
    public const int DefaultTimeoutSeconds = 600;

    private const int MaxPatternLength = 256;

    public bool IsEnabled { get; init; }

    /// <summary>One of <see cref="VerificationFrequencies"/>.</summary>
    public string After { get; init => field = value ?? VerificationFrequencies.EveryBackup; } = VerificationFrequencies.EveryBackup;

    /// <summary>How long a machine has from its start until it has proven itself; 30 to 7,200.</summary>
    public int TimeoutSeconds { get; init => field = value == 0 ? DefaultTimeoutSeconds : value; } = DefaultTimeoutSeconds;

    /// <summary>A regular expression (<see cref="Pattern"/>): a line of the serial console that matches proves that the machine has booted. Null: only its guest agent does.</summary>
    public string? ConsolePattern { get; init; }

    /// <summary>ARM id of the host to boot on; null: the machine's own.</summary>
    public string? HostId { get; init; }

    /// <summary>From one verification of an item to the next, at least.</summary>
    public TimeSpan Interval => After switch
    {
        VerificationFrequencies.Daily => TimeSpan.FromDays(1),
        VerificationFrequencies.Weekly => TimeSpan.FromDays(7),
        _ => TimeSpan.Zero,
    };

    /// <summary>A console pattern as it is meant: what a guest prints cannot make it run for long.</summary>
    /// <exception cref="ArgumentException">It is no regular expression.</exception>
    /// <exception cref="NotSupportedException">It needs going back (references to groups, looking around).</exception>
    public static Regex Pattern(string text) => new(text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    /// <summary>Checks what was sent.</summary>
    /// <exception cref="BackupRefusedException">InvalidInput, with the member.</exception>
    public void Validate()
    {
        if (After is not (VerificationFrequencies.EveryBackup or VerificationFrequencies.Daily or VerificationFrequencies.Weekly))
            throw Refused("after", $"It is none of {VerificationFrequencies.EveryBackup}, {VerificationFrequencies.Daily}, {VerificationFrequencies.Weekly}.");
        if (TimeoutSeconds is < 30 or > 7200) throw Refused("timeoutSeconds", "It takes seconds from 30 to 7200.");
        if (ConsolePattern is { } pattern && !IsPattern(pattern))
            throw Refused("consolePattern", $"It takes a regular expression of 1 to {MaxPatternLength} characters, without references to groups and without looking around.");
    }

    private static bool IsPattern(string text)
    {
        if (text.Length is 0 or > MaxPatternLength) return false;
        try
        {
            Pattern(text);
            return true;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    private static BackupRefusedException Refused(string member, string message) => new(BackupRefusal.InvalidInput, $"'{member}' is wrong. {message}", "properties." + member);
}
