namespace Strongroom.Cli.Store;

/// <summary>How <c>strongroom store</c> ends.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Failed = 1;

    /// <summary>The command line, or a file it names, is not what the verb takes.</summary>
    public const int Usage = 2;

    /// <summary>The vault lacks something it should hold, or holds something else.</summary>
    public const int Damage = 3;

    /// <summary>As a shell reports a process that Ctrl-C ended: 128 and SIGINT.</summary>
    public const int Interrupted = 130;
}
