using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Strongroom.Cli.Tests.Store;

/// <summary>A running <c>mount</c>; ended the hard way unless it has ended.</summary>
internal sealed record Mount(Process Process, string Uri, string Socket) : IDisposable
{
    /// <summary>Mounts the newest disk of the lab's vault.</summary>
    public static Task<Mount> StartAsync(StoreLab lab, params string[] more) => StartOfAsync(lab, lab.Vault, more);

    public static async Task<Mount> StartOfAsync(StoreLab lab, string vault, params string[] more)
    {
        var process = lab.Start(["mount", vault, "--snapshot", "latest", "--socket", lab["s"], "--output", "json", .. more]);
        var line = await process.StandardOutput.ReadLineAsync();
        Assert.True(line is not null, line is null ? await process.StandardError.ReadToEndAsync() : "");
        var ready = JsonNode.Parse(line!)!;
        Assert.True(ready["error"] is null, line);
        return new(process, (string)ready["uri"]!, (string)ready["socket"]!);
    }

    /// <summary>The names of the program's files in its memory, the assemblies among them.</summary>
    public async Task<IReadOnlyList<string>> MappedFilesAsync() => [.. (await File.ReadAllLinesAsync($"/proc/{Process.Id}/maps"))
        .Where(line => line.Contains('/', StringComparison.Ordinal)).Select(line => Path.GetFileName(line)).Distinct()];

    public void Dispose()
    {
        if (!Process.HasExited)
            Process.Kill();
        Process.WaitForExit();
        Process.Dispose();
    }
}
