using System.Text.Json;
using System.Text.Json.Nodes;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>How a script in the guest ended.</summary>
internal enum ScriptEnd
{
    /// <summary>The guest has none, or its agent does not run programs.</summary>
    Absent,
    Succeeded,
    Failed,
}

/// <summary>QEMU's guest agent in a running domain (qga-qapi-schema). Blocks.</summary>
/// <remarks>The guest is not trusted: what it says is looked at and bounded, and it is not waited for without end.</remarks>
internal sealed class GuestAgent(LibvirtDomain domain)
{
    /// <summary>Scripts that the machine's owner puts there, run as root before the freeze and after the thaw, as Azure's pre and post scripts are.</summary>
    public const string PreScript = "/etc/strongroom/pre-backup", PostScript = "/etc/strongroom/post-backup";

    private const int AnswerSeconds = 5;

    // A name that is there twice would be noticed when it is looked for, and not as what it is: an answer that is none.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>How long a script may take.</summary>
    private static readonly TimeSpan ScriptLimit = TimeSpan.FromMinutes(2);

    /// <summary>Null: it answers. Else why it does not.</summary>
    public string? FindSilence()
    {
        try
        {
            domain.AskAgent("""{"execute":"guest-ping"}""", AnswerSeconds);
            return null;
        }
        catch (LibvirtException exception)
        {
            return exception.Message;
        }
    }

    public bool IsWindows => TryAsk("guest-get-osinfo", null)?["id"] is JsonValue id && id.TryGetValue(out string? name) && name == "mswindows";

    /// <summary>The file systems stand still.</summary>
    public bool IsFrozen => TryAskValue("guest-fsfreeze-status") == "frozen";

    /// <summary>Runs a script in the guest to its end, where there is one.</summary>
    public ScriptEnd Run(string path)
    {
        if (!Exists(path) || TryAsk("guest-exec", new() { ["path"] = path })?["pid"] is not JsonValue number || !number.TryGetValue(out long pid)) return ScriptEnd.Absent;
        var started = Environment.TickCount64;
        while (Environment.TickCount64 - started < ScriptLimit.TotalMilliseconds)
        {
            if (TryAsk("guest-exec-status", new() { ["pid"] = pid }) is not { } status) return ScriptEnd.Failed;
            if (status["exited"] is JsonValue exited && exited.TryGetValue(out bool isOver) && isOver)
                return status["exitcode"] is JsonValue code && code.TryGetValue(out long result) && result == 0 ? ScriptEnd.Succeeded : ScriptEnd.Failed;
            Pause.For(TimeSpan.FromMilliseconds(100));
        }

        return ScriptEnd.Failed;
    }

    private bool Exists(string path)
    {
        if (Ask("guest-file-open", new() { ["path"] = path, ["mode"] = "r" }) is not JsonValue handle || !handle.TryGetValue(out long file)) return false;
        Ask("guest-file-close", new() { ["handle"] = file });
        return true;
    }

    private JsonObject? TryAsk(string command, JsonObject? arguments) => Ask(command, arguments) as JsonObject;

    private string? TryAskValue(string command) => Ask(command, null) is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    /// <summary>What the agent returns; null: it refuses, does not know the command or does not answer.</summary>
    private JsonNode? Ask(string command, JsonObject? arguments)
    {
        var question = new JsonObject { ["execute"] = command };
        if (arguments is not null) question["arguments"] = arguments;
        try
        {
            return (JsonNode.Parse(domain.AskAgent(question.ToJsonString(), AnswerSeconds), documentOptions: Strict) as JsonObject)?["return"];
        }
        catch (Exception exception) when (exception is LibvirtException or JsonException)
        {
            return null;
        }
    }
}
