namespace Strongroom.Demo;

/// <summary>How long the demo waits for what is its own: a demo that hangs proves nothing.</summary>
internal static class DemoTimeLimits
{
    public static readonly TimeSpan ServerStart = TimeSpan.FromMinutes(1);

    // Slower than any disk that a person would wait for.
    private const double BytesPerSecondMin = 4 * 1024 * 1024;

    /// <summary>For work on <paramref name="lengthBytes"/> bytes of disk: five minutes and as long as a very slow disk takes.</summary>
    public static TimeSpan ForBytes(long lengthBytes) => TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(lengthBytes / BytesPerSecondMin);
}
