namespace Strongroom.Clients;

/// <summary>Where the tests find the repository and what was built from it.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The folder of the Node clients (package.json, story.mjs).</summary>
    public static string NodeFolder => Path.Combine(Root, "tests", "Strongroom.Clients", "node");

    /// <summary>The folder of what makes the guest.</summary>
    public static string GuestFolder => Path.Combine(Root, "tests", "Strongroom.Clients", "Guests");

    /// <summary>The script that makes and finds the folder with az of Debian 13.</summary>
    public static string Debian13Script => Path.Combine(Root, "tests", "Strongroom.Clients", "debian13.sh");

    /// <summary>
    /// The command `strongroom`: $STRONGROOM_SERVER, or the one built in the configuration of this test
    /// (artifacts/bin/Strongroom/release/strongroom).
    /// </summary>
    public static string ServerExecutable
    {
        get
        {
            var given = Environment.GetEnvironmentVariable("STRONGROOM_SERVER");
            if (!string.IsNullOrEmpty(given))
                return given;
            var configuration = Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/'));
            return Path.Combine(Root, "artifacts", "bin", "Strongroom", configuration, "strongroom");
        }
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Strongroom.slnx")))
                return folder.FullName;
        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Strongroom.slnx.");
    }
}
