using System.Collections.Immutable;
using System.Text.Json;
using Strongroom.Arm;

namespace Strongroom.Workloads.VirtualMachines.Folder;

/// <summary>What <c>vm.json</c> says of a machine; everything in it is optional.</summary>
/// <param name="Name">The machine's name in place of the folder's.</param>
/// <param name="Size">Such as <c>Standard_B2s</c>.</param>
/// <param name="OsType"><c>Linux</c> or <c>Windows</c>.</param>
/// <param name="OsDisk">File name of the operating system's disk; without it the first one.</param>
/// <param name="VmId">Identity of the machine; without it one is derived from host and folder.</param>
/// <param name="Problem">What is wrong with the file; the rest of it counts all the same.</param>
internal sealed record MachineDescription(string? Name, string? Size, string? OsType, string? OsDisk, Guid? VmId, ImmutableSortedDictionary<string, string> Tags, string? Problem)
{
    public const string FileName = "vm.json";

    /// <summary>Longer ones are refused unread.</summary>
    public const int LongestBytes = 64 * 1024;

    private const int LongestText = 256;
    private const int MostTags = 50;

    public static MachineDescription None { get; } = Broken(null);

    public static MachineDescription Broken(string? problem) => new(null, null, null, null, null, ImmutableSortedDictionary<string, string>.Empty, problem);

    /// <summary>Reads the description; never throws for its content. Unknown members are left alone, comments and trailing commas allowed: people write this by hand.</summary>
    public static MachineDescription Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, MaxDepth = 16 });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return Broken($"{FileName} must hold an object.");
            var problems = new List<string>();
            var name = Text(document.RootElement, "name", problems);
            if (name is not null && !ResourceNames.IsMachine(name))
            {
                problems.Add($"'{name}' is not a valid name of a virtual machine");
                name = null;
            }

            var osType = Text(document.RootElement, "osType", problems);
            if (osType is not null)
            {
                osType = new[] { "Linux", "Windows" }.FirstOrDefault(known => known.Equals(osType, StringComparison.OrdinalIgnoreCase));
                if (osType is null)
                    problems.Add("'osType' must be Linux or Windows");
            }

            Guid? vmId = null;
            if (Text(document.RootElement, "vmId", problems) is { } idText)
            {
                if (Guid.TryParse(idText, out var id) && id != Guid.Empty)
                    vmId = id;
                else
                    problems.Add("'vmId' must be a GUID");
            }

            return new MachineDescription(
                name,
                Text(document.RootElement, "size", problems),
                osType,
                Text(document.RootElement, "osDisk", problems),
                vmId,
                ReadTags(document.RootElement, problems),
                problems.Count == 0 ? null : $"{FileName}: {string.Join("; ", problems)}.");
        }
        catch (JsonException exception)
        {
            return Broken($"{FileName} is not valid JSON (line {exception.LineNumber + 1}).");
        }
        catch (InvalidOperationException)
        {
            return Broken($"{FileName} holds text that is not valid UTF-8.");
        }
    }

    private static string? Text(JsonElement root, string name, List<string> problems)
    {
        if (!root.TryGetProperty(name, out var element) || element.ValueKind == JsonValueKind.Null)
            return null;
        if (element.ValueKind == JsonValueKind.String && element.GetString() is { Length: > 0 and <= LongestText } text)
            return text;
        problems.Add($"'{name}' must be a text of 1 to {LongestText} characters");
        return null;
    }

    /// <summary>Azure's limits: 50 tags, names of 512 and values of 256 characters; names differ without regard to case.</summary>
    private static ImmutableSortedDictionary<string, string> ReadTags(JsonElement root, List<string> problems)
    {
        var tags = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.OrdinalIgnoreCase);
        if (!root.TryGetProperty("tags", out var element) || element.ValueKind == JsonValueKind.Null)
            return tags.ToImmutable();
        if (element.ValueKind != JsonValueKind.Object)
        {
            problems.Add("'tags' must be an object of texts");
            return tags.ToImmutable();
        }

        foreach (var tag in element.EnumerateObject())
        {
            if (tag.Value.ValueKind == JsonValueKind.String && tag.Value.GetString() is { Length: <= LongestText } text && tag.Name.Length is > 0 and <= 512 && tags.Count < MostTags)
                tags[tag.Name] = text;
            else
                problems.Add($"tag '{tag.Name[..Math.Min(tag.Name.Length, 40)]}' must be a text of at most {LongestText} characters, and one of at most {MostTags}");
        }

        return tags.ToImmutable();
    }
}
