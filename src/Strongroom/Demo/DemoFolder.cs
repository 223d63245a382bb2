namespace Strongroom.Demo;

/// <summary>The folder of one demo: <c>server/</c> is the server's data, <c>machines/</c> holds what it protects.</summary>
internal sealed class DemoFolder
{
    private DemoFolder(string path, bool isKept)
    {
        Path = path;
        IsKept = isKept;
        ServerOptions = new DemoServerOptions
        {
            DataFolder = Directory.CreateDirectory(System.IO.Path.Combine(path, "server")).FullName,
            MachinesFolder = Directory.CreateDirectory(System.IO.Path.Combine(path, "machines")).FullName,
        };
    }

    public string Path { get; }

    /// <summary>Whether the folder outlives the demo.</summary>
    public bool IsKept { get; }

    public DemoServerOptions ServerOptions { get; }

    /// <summary>The user's folder, made if it is missing, or a temporary one that only this user may enter.</summary>
    /// <exception cref="DemoException">The folder cannot be made.</exception>
    public static DemoFolder Open(DemoOptions options)
    {
        try
        {
            return options.DataFolder is { } own
                ? new DemoFolder(Directory.CreateDirectory(own).FullName, isKept: true)
                : new DemoFolder(Directory.CreateTempSubdirectory("strongroom-demo-").FullName, options.KeepFolder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DemoException($"The folder for the demo cannot be made: {e.Message}", e);
        }
    }

    public void Remove() => Directory.Delete(Path, recursive: true);
}
