namespace Strongroom.Store.Simulation.Processes;

/// <summary>A folder for a vault and its copy, gone with the test.</summary>
internal sealed class KillLab : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("strongroom-kill-");

    public string Vault => Path.Combine(folder.FullName, "vault");

    public string Copy => Path.Combine(folder.FullName, "copy");

    /// <summary>Inverts a byte of some pack.</summary>
    public void Rot(Random random)
    {
        var packs = Directory.GetFiles(Path.Combine(Vault, "packs"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
        var path = packs[random.Next(packs.Count)];
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var content = File.ReadAllBytes(path);
        content[random.Next(content.Length)] ^= 0xFF;
        File.WriteAllBytes(path, content);
    }

    public void Dispose() => folder.Delete(recursive: true);
}
