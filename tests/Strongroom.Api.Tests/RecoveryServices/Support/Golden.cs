using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices.Support;

/// <summary>
/// Compares an answer with the file of that name in Golden/, field for field and in order. Run the tests with GOLDEN_UPDATE=1 to write the files anew, and read
/// the difference before it is committed: the files are the contract with clients that nobody here can change.
/// </summary>
public static partial class Golden
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, NewLine = "\n", Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string[] s_headers = ["Azure-AsyncOperation", "Location", "Retry-After", "x-ms-failure-cause"];

    public static void Check(string name, Answer answer, BackupHost host)
    {
        var headers = new JsonObject();
        foreach (string header in s_headers)
        {
            if (answer.Header(header) is { } value) headers[header] = value;
        }

        var all = new JsonObject { ["status"] = answer.Status, ["headers"] = headers, ["body"] = answer.Body?.DeepClone() };
        string actual = Normalise(all.ToJsonString(s_indented), host) + "\n";
        string file = FileOfRepository("tests", "Strongroom.Api.Tests", "RecoveryServices", "Golden", name + ".json");
        if (Environment.GetEnvironmentVariable("GOLDEN_UPDATE") == "1")
        {
            File.WriteAllText(file, actual);
            return;
        }

        Assert.True(File.Exists(file), $"There is no {file}; run with GOLDEN_UPDATE=1 to write it.");
        Assert.Equal(File.ReadAllText(file), actual);
    }

    /// <summary>Replaces what differs from run to run. Marks for "no time" are left as they are: they are part of the contract.</summary>
    private static string Normalise(string text, BackupHost host)
    {
        text = text.Replace(host.Authority, "{host}", StringComparison.Ordinal).Replace(ArmHost.Subscription, "{subscription}", StringComparison.Ordinal).Replace(ArmHost.Tenant, "{tenant}", StringComparison.Ordinal);
        text = VaultOperationId().Replace(text, "$1{operation in base64}");
        text = AnyGuid().Replace(text, "{guid}");
        text = GuidWithoutHyphens().Replace(text, "{32 hex}");
        text = Time().Replace(text, "{time with 7 decimals}");
        text = EscapedTime().Replace(text, "{escaped time with 7 decimals}");
        text = HalfHour().Replace(text, "\"{day}T{half hour}:00Z\"");
        text = AmericanTime().Replace(text, "\"{m/d/yyyy h:mm:ss tt}\"");
        text = Bytes().Replace(text, "$1{bytes}$2\"");
        text = FileTime().Replace(text, "{yyyyMMdd-HHmmss}");
        return Number().Replace(text, "{number}");
    }

    /// <summary>The path of a file of the repository.</summary>
    public static string FileOfRepository(params string[] path)
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Strongroom.slnx"))) folder = folder.Parent;
        Assert.NotNull(folder);
        return Path.Combine([folder.FullName, .. path]);
    }

    [GeneratedRegex("(/operation(?:Status|Results)/|\"(?:id|name)\": \")NDA5NT[A-Za-z0-9+/]+=*")]
    private static partial Regex VaultOperationId();

    [GeneratedRegex("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")]
    private static partial Regex AnyGuid();

    [GeneratedRegex("(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")]
    private static partial Regex GuidWithoutHyphens();

    [GeneratedRegex("20(?!01-01-01)\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{7}Z")]
    private static partial Regex Time();

    [GeneratedRegex("20\\d\\d-\\d\\d-\\d\\dT\\d\\d%3A\\d\\d%3A\\d\\d\\.\\d{7}Z")]
    private static partial Regex EscapedTime();

    [GeneratedRegex("\"20(?!01)\\d\\d-\\d\\d-\\d\\dT\\d\\d:[03]0:00Z\"")]
    private static partial Regex HalfHour();

    [GeneratedRegex("\"\\d{1,2}/\\d{1,2}/20\\d\\d \\d{1,2}:\\d\\d:\\d\\d [AP]M\"")]
    private static partial Regex AmericanTime();

    [GeneratedRegex("(\"(?:strongroom\\.bytes[A-Za-z]+|Backup Size)\": \")\\d+( MB)?\"")]
    private static partial Regex Bytes();

    [GeneratedRegex("20\\d{6}-\\d{6}")]
    private static partial Regex FileTime();

    [GeneratedRegex("(?<!\\d)\\d{16,20}(?!\\d)")]
    private static partial Regex Number();
}
