namespace Strongroom.Cli.Store;

/// <summary>Names as a terminal may show them.</summary>
internal static class Shown
{
    /// <summary>A name may hold anything, a terminal's orders too: what is not to be seen becomes a question mark.</summary>
    public static string Text(string name) => string.Concat(name.Select(letter => char.IsControl(letter) ? '?' : letter));
}
