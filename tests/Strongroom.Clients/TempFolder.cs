namespace Strongroom.Clients;

/// <summary>A folder that is removed with everything in it; STRONGROOM_KEEP=1 keeps it for a look.</summary>
internal sealed class TempFolder : IDisposable
{
    public TempFolder()
        : this(Directory.CreateTempSubdirectory("strongroom-clients-").FullName)
    {
    }

    /// <param name="path">A folder that is there already.</param>
    public TempFolder(string path) => Path = path;

    public string Path { get; }

    public string Combine(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([Path, .. parts]);

    public void Dispose()
    {
        if (Environment.GetEnvironmentVariable("STRONGROOM_KEEP") != "1" && Directory.Exists(Path))
            Directory.Delete(Path, recursive: true);
    }
}
