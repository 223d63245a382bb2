using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Strongroom.Backup.FileRecovery;

/// <summary>The program that mounts a recovery point on another machine: a template of ours with the values of one mount in it.</summary>
/// <remarks>
/// The values stand between two lines of the template, each on a line of its own, <c>Name="text"</c>. The line of the password is what clients look for:
/// they put <see cref="AskedPassword"/> in its place, at which the script asks.
/// </remarks>
public sealed class RecoveryScript
{
    /// <summary>What a client writes in the place of the password.</summary>
    public const string AskedPassword = "UserInput012345";

    private const string Begin = "# ---- values of this recovery point: filled in by the server ----";
    private const string End = "# ---- end of values ----";

    private readonly string _before;
    private readonly string _after;
    private readonly string _prefix;
    private readonly string _newLine;
    private readonly Func<char, string?> _escape;

    private RecoveryScript(string resource, string prefix, string newLine, Func<char, string?> escape)
    {
        (_prefix, _newLine, _escape) = (prefix, newLine, escape);
        using var stream = typeof(RecoveryScript).Assembly.GetManifestResourceStream(resource) ?? throw new InvalidOperationException($"'{resource}' is not in the program.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var template = reader.ReadToEnd().ReplaceLineEndings(newLine);
        var (begin, end) = (template.IndexOf(Begin, StringComparison.Ordinal), template.IndexOf(End, StringComparison.Ordinal));
        if (begin < 0 || end < begin) throw new InvalidOperationException($"'{resource}' has no place for values.");
        (_before, _after) = (template[..begin], template[end..]);
    }

    /// <summary>For machines with Linux: Python.</summary>
    public static RecoveryScript Linux => field ??= new("recover-files.py", "", "\n", c => c is '"' or '\\' ? "\\" + c : c == '\n' ? "\\n" : null);

    /// <summary>For Windows: PowerShell.</summary>
    public static RecoveryScript Windows => field ??= new("recover-files.ps1", "$", "\r\n", c => c is '"' or '`' or '$' ? "`" + c : c == '\n' ? "`n" : null);

    /// <summary>The script for a mount.</summary>
    /// <param name="password">The mount's, or <see cref="AskedPassword"/>.</param>
    /// <param name="options">Where scripts connect to, and whom they trust.</param>
    public string Write(FileRecoveryMount mount, string password, FileRecoveryOptions options)
    {
        var origin = mount.Request.Origin;
        var portal = options.Portal ?? new(origin.IdnHost, origin.Port);
        var script = new StringBuilder(_before).Append(Begin).Append(_newLine);
        foreach (var (name, value) in (IEnumerable<(string, string)>)
        [
            ("VmName", mount.Point.Machine.Name),
            ("MachineName", ScriptNames.FileName(mount.Point.Machine.Name)),
            ("RecoveryPointTime", Time(mount.Point.Time)),
            ("TargetPortalAddress", portal.Host),
            ("TargetPortalName", portal.Host),
            ("TargetPortalPortNumber", (portal.Port ?? origin.Port).ToString(CultureInfo.InvariantCulture)),
            ("TargetPortalPath", TunnelPath(mount.Id)),
            ("TargetPortalCertificates", options.AuthorityPem?.ReplaceLineEndings("\n").Trim() ?? ""),
            ("TargetNodeAddress", mount.TargetName),
            ("TargetUserName", mount.Secrets.UserName),
            ("TargetPassword", password),
            ("InitiatorChapName", mount.Secrets.TargetName),
            ("InitiatorChapPassword", mount.Secrets.TargetPassword),
            ("ScriptId", mount.Id.ToString()),
            ("ExpiresAt", Time(mount.EndsAt)),
            ("Disks", Disks(mount)),
        ])
            Append(script, name, value);
        return script.Append(_after).ToString();
    }

    /// <summary>Where a mount's tunnel begins.</summary>
    public static string TunnelPath(Guid mountId) => $"/file-recovery/{mountId}/tunnel";

    private void Append(StringBuilder script, string name, string value)
    {
        script.Append(_prefix).Append(name).Append("=\"");
        foreach (var c in value)
        {
            if (_escape(c) is { } escaped) script.Append(escaped);
            // Names come from a host's files; what is no letter there must not end a line here.
            else script.Append(char.IsControl(c) || c is '\u2028' or '\u2029' || IsQuote(c) ? '?' : c);
        }

        script.Append('"').Append(_newLine);
    }

    /// <summary>PowerShell takes typographic quotes for plain ones.</summary>
    private static bool IsQuote(char c) => c is '\u201c' or '\u201d' or '\u201e';

    private static string Disks(FileRecoveryMount mount) => new JsonArray([.. mount.Disks.Select(disk => (JsonNode)new JsonObject
    {
        ["lun"] = disk.Number,
        ["name"] = disk.Name,
        ["sizeBytes"] = disk.SizeBytes,
        ["serial"] = disk.Serial,
    })]).ToJsonString(new JsonSerializerOptions { Encoder = JavaScriptEncoder.Default });

    private static string Time(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
