namespace Strongroom.Workloads.Tests.FileShares;

/// <summary>Programs of others that tests need.</summary>
internal static class Programs
{
    /// <summary>Skips the test when one is missing, or fails it where STRONGROOM_REQUIRE_PEERS=1 is set.</summary>
    /// <param name="packages">Debian's packages that have them.</param>
    public static void Require(string packages, params string[] paths)
    {
        if (Array.Find(paths, path => !File.Exists(path)) is not { } missing) return;
        var why = $"{missing} is not installed (Debian packages {packages})";
        if (Environment.GetEnvironmentVariable("STRONGROOM_REQUIRE_PEERS") == "1") Assert.Fail(why);
        Assert.Skip(why);
    }

    /// <summary>Skips the test for all others than root.</summary>
    public static void RequireRoot(string what)
    {
        if (Environment.UserName != "root") Assert.Skip($"Only root can {what}");
    }
}
