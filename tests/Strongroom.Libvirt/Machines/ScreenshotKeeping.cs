namespace Strongroom.Libvirt.Machines;

/// <summary>Pictures among the results of a test.</summary>
internal static class ScreenshotKeeping
{
    /// <summary>Keeps it as artifacts/test-results/NAME.png and in the test's trx.</summary>
    public static void Keep(this Screenshot picture, string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "test-results"));
        File.WriteAllBytes(Path.Combine(folder.FullName, $"{name}.png"), picture.Png);
        TestContext.Current.AddAttachment($"{name}.png", picture.Png, "image/png");
    }
}
