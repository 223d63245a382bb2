using System.Text.Json;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

/// <summary>Names of backing files as QEMU takes them: paths, addresses, and <c>json:</c> with options (QEMU's docs/interop/qcow2.txt, block.c).</summary>
internal static class BackingNames
{
    private const string JsonPrefix = "json:";

    // What leads to no file of the host.
    private static readonly string[] Transports = ["nbd", "nbd+unix", "nbd+tcp", "rbd", "iscsi", "ssh", "http", "https", "ftp", "ftps"];
    private static readonly string[] FileDrivers = ["file", "host_device", "raw", "qcow2"];

    /// <summary>The files and devices that a name leads to; null where that cannot be told.</summary>
    /// <param name="image">Absolute path of the image that has the name: paths begin at its folder.</param>
    public static IReadOnlyList<string>? PathsIn(string name, string image)
    {
        if (name.StartsWith(JsonPrefix, StringComparison.Ordinal)) return InJson(name[JsonPrefix.Length..], image);
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        if (colon < 0 || (slash >= 0 && slash < colon)) return [Path.GetFullPath(name, Path.GetDirectoryName(image)!)];
        var scheme = name[..colon];
        if (scheme == "file") return [Path.GetFullPath(name[(colon + 1)..], Path.GetDirectoryName(image)!)];
        return Transports.Contains(scheme) ? [] : null;
    }

    private static List<string>? InJson(string text, string image)
    {
        try
        {
            using var options = JsonDocument.Parse(text);
            var paths = new List<string>();
            return Collect(options.RootElement, image, paths) ? paths : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Options are nested, or have the way to them in their names: <c>file.filename</c>.</summary>
    /// <returns>False where there is something unknown in them.</returns>
    private static bool Collect(JsonElement options, string image, List<string> paths)
    {
        if (options.ValueKind != JsonValueKind.Object) return options.ValueKind != JsonValueKind.Array;
        foreach (var option in options.EnumerateObject())
        {
            var name = option.Name[(option.Name.LastIndexOf('.') + 1)..];
            var text = option.Value.ValueKind == JsonValueKind.String ? option.Value.GetString()! : null;
            if (name == "driver" && (text is null || !(Transports.Contains(text) || FileDrivers.Contains(text)))) return false;
            if (name == "filename")
            {
                if (text is null || PathsIn(text, image) is not { } found) return false;
                paths.AddRange(found);
            }
            else if (!Collect(option.Value, image, paths))
            {
                return false;
            }
        }

        return true;
    }
}
