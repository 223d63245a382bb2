using System.Text.Json.Nodes;
using Strongroom.Bench.Disks;
using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Iscsi;

/// <summary>The disk as a raw file and as a recovery point of a vault, both in one folder.</summary>
internal sealed class BenchVault(string folder, string strongroom)
{
    public string DiskPath => Path.Combine(folder, "disk.img");

    public string ChapPath => Path.Combine(folder, "chap");

    public Dictionary<string, string> Settings => new() { ["STRONGROOM_KEY_FILE"] = Path.Combine(folder, "key"), ["TMPDIR"] = folder };

    /// <summary>The beginning of the command that serves the recovery point.</summary>
    public string[] Mount => [strongroom, "store", "mount", VaultPath, "--snapshot", "latest"];

    private string VaultPath => Path.Combine(folder, "vault");

    /// <summary>Makes both; bytes of the vault.</summary>
    public async Task<long> MakeAsync(DiskRecipe recipe, CancellationToken cancellationToken)
    {
        DiskMaker.Make(DiskPath, recipe);
        await File.WriteAllTextAsync(ChapPath, $"{IscsiSide.User} {IscsiSide.Secret}\n", cancellationToken);
        await Programs.RunAsync([strongroom, "store", "init", VaultPath, "--output", "json"], Settings, cancellationToken);
        var done = await Programs.RunAsync([strongroom, "store", "backup", VaultPath, "--image", DiskPath, "--output", "json"], Settings, cancellationToken);
        return JsonNode.Parse(done.TrimEnd().Split('\n').First(line => line.StartsWith('{')))!["bytesStored"]?.GetValue<long>() ?? 0;
    }

    /// <summary>Nothing of either is in the page cache any more.</summary>
    public void DropCaches()
    {
        ResourceCalls.Sync();
        foreach (var file in Directory.EnumerateFiles(VaultPath, "*", SearchOption.AllDirectories).Append(DiskPath))
            ResourceCalls.DropCache(file);
    }
}
