using System.Globalization;

namespace Strongroom.Blocks.Iscsi.Login;

/// <summary>Answers operational keys and remembers what was agreed (RFC 7143, 13).</summary>
internal sealed class OperationalNegotiation(SessionParameters parameters)
{
    private const int LeastSegmentBytes = 512;
    private const int MostSegmentBytes = (1 << 24) - 1;
    private const string Reject = "Reject";

    /// <summary>The answer to a key; null when it is only declared and wants none.</summary>
    public string? Answer(string key, string value) => key switch
    {
        "HeaderDigest" => Digest(value, chosen => parameters.HasHeaderDigest = chosen),
        "DataDigest" => Digest(value, chosen => parameters.HasDataDigest = chosen),
        "MaxRecvDataSegmentLength" => Declare(value),
        "MaxBurstLength" => Least(value, LeastSegmentBytes, MostSegmentBytes, 1 << 20, chosen => parameters.MaxBurstBytes = chosen),
        "FirstBurstLength" => Least(value, LeastSegmentBytes, MostSegmentBytes, 64 * 1024, chosen => parameters.FirstBurstBytes = chosen),
        "InitialR2T" => Either(value, ours: false, chosen => parameters.HasInitialR2T = chosen),
        "ImmediateData" => Both(value, chosen => parameters.HasImmediateData = chosen),
        "MaxConnections" => Least(value, 1, 65535, 1),
        "MaxOutstandingR2T" => Least(value, 1, 65535, 1),
        "ErrorRecoveryLevel" => Least(value, 0, 2, 0),
        "DefaultTime2Wait" => Greatest(value, 0, 3600, 2),
        "DefaultTime2Retain" => Least(value, 0, 3600, 0),
        "DataPDUInOrder" or "DataSequenceInOrder" => Either(value, ours: true),
        "IFMarker" or "OFMarker" => Is(value, "Yes") || Is(value, "No") ? "No" : Reject,
        "IFMarkInt" or "OFMarkInt" => Reject,
        "TaskReporting" => Of(value, "RFC3720"),
        "iSCSIProtocolLevel" => Least(value, 0, 31, 1),
        _ => "NotUnderstood",
    };

    private static string Digest(string list, Action<bool> choose)
    {
        if (list.Split(',').FirstOrDefault(digest => digest is "CRC32C" or "None") is not { } chosen)
            return Reject;
        choose(chosen == "CRC32C");
        return chosen;
    }

    private string? Declare(string value)
    {
        if (Number(value, LeastSegmentBytes, MostSegmentBytes) is not { } bytes)
            return Reject;
        parameters.SendDataBytes = bytes;
        return null;
    }

    private static string Least(string value, int least, int most, int ours, Action<int>? choose = null) => Choose(value, least, most, theirs => Math.Min(theirs, ours), choose);

    private static string Greatest(string value, int least, int most, int ours) => Choose(value, least, most, theirs => Math.Max(theirs, ours), null);

    private static string Choose(string value, int least, int most, Func<int, int> rule, Action<int>? choose)
    {
        if (Number(value, least, most) is not { } theirs)
            return Reject;
        var chosen = rule(theirs);
        choose?.Invoke(chosen);
        return chosen.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The OR of both sides.</summary>
    private static string Either(string value, bool ours, Action<bool>? choose = null) => Boolean(value, theirs => theirs || ours, choose);

    /// <summary>The AND of both sides; ours is yes.</summary>
    private static string Both(string value, Action<bool> choose) => Boolean(value, theirs => theirs, choose);

    private static string Boolean(string value, Func<bool, bool> rule, Action<bool>? choose)
    {
        if (!Is(value, "Yes") && !Is(value, "No"))
            return Reject;
        var chosen = rule(Is(value, "Yes"));
        choose?.Invoke(chosen);
        return chosen ? "Yes" : "No";
    }

    private static string Of(string list, string ours) => list.Split(',').Contains(ours) ? ours : Reject;

    private static bool Is(string value, string expected) => string.Equals(value, expected, StringComparison.Ordinal);

    /// <summary>Decimal, or hexadecimal after 0x; null outside the range.</summary>
    private static int? Number(string text, int least, int most)
    {
        var isHex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        var isNumber = isHex
            ? int.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
        return isNumber && number >= least && number <= most ? number : null;
    }
}
