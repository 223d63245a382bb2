namespace Strongroom.Clients.Peers;

/// <summary>
/// The real programs that the tests talk through. A missing one skips the test that needs it, but where
/// STRONGROOM_REQUIRE_PEERS=1 is set (continuous integration) it fails that test: a test that silently stops running
/// proves nothing.
/// </summary>
internal static class Peer
{
    /// <summary>Whether a missing peer is a failure.</summary>
    public static bool AreRequired => Environment.GetEnvironmentVariable("STRONGROOM_REQUIRE_PEERS") == "1";

    /// <summary>Returns the full path of <paramref name="tool"/>, or ends the test.</summary>
    /// <param name="tool">A program's name, looked up in PATH and the system's sbin folders.</param>
    /// <param name="package">The package that brings it, for the message.</param>
    public static string RequireOrSkip(string tool, string package)
    {
        var path = Find(tool);
        if (path is null)
            Missing($"{tool} is not installed: install the package {package}.");
        return path!;
    }

    /// <summary>Ends the test because something it needs is not there: a failure where peers are required, else a skip.</summary>
    public static void Missing(string reason)
    {
        if (AreRequired)
            Assert.Fail(reason);
        Assert.Skip(reason);
    }

    /// <summary>Skips the test because this machine cannot do what it needs, whatever is installed.</summary>
    public static void Unsupported(string reason) => Assert.Skip(reason);

    /// <summary>The full path of a program, or null.</summary>
    public static string? Find(string tool) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(["/usr/sbin", "/sbin"])
            .Where(folder => folder.Length > 0)
            .Select(folder => Path.Combine(folder, tool))
            .FirstOrDefault(File.Exists);
}
