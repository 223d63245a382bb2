namespace Strongroom.Cli.Store;

/// <summary>Where the socket lies; a folder that was made for it goes with it.</summary>
internal sealed class SocketPlace : IDisposable
{
    private readonly DirectoryInfo? folder;

    private SocketPlace(string path, DirectoryInfo? folder)
    {
        Path = path;
        this.folder = folder;
    }

    public string Path { get; }

    public static SocketPlace Choose(string? path)
    {
        if (path is not null)
            return new(path, null);

        // Of mode 0700, so that nobody else can put something in the socket's place.
        var folder = Directory.CreateTempSubdirectory("strongroom-");
        return new(System.IO.Path.Combine(folder.FullName, "nbd.sock"), folder);
    }

    public void Dispose() => folder?.Delete(recursive: true);
}
