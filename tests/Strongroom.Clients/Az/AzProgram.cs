namespace Strongroom.Clients.Az;

/// <summary>The two versions of az that the stories are played with.</summary>
public enum AzEdition
{
    /// <summary>2.45, the machine's own.</summary>
    Debian12,

    /// <summary>2.74, in the folder that debian13.sh makes.</summary>
    Debian13,
}

/// <summary>One installed az: the machine's own, or that of Debian 13 in a folder (chroot).</summary>
internal sealed class AzProgram : IDisposable
{
    private const string CaFileName = "ca.pem";

    private readonly string _program;
    private readonly string[] _prefix;
    private readonly string _root;
    private readonly string _configuration;
    private readonly bool _forked;
    private AzForks? _forks;

    private AzProgram(string program, string[] prefix, string root, bool forked)
    {
        _program = program;
        _prefix = prefix;
        _root = root;
        _forked = forked && AzForks.CanRun(Outside(program));
        _configuration = "/tmp/strongroom-az-" + Guid.NewGuid().ToString("N");
        Directory.CreateDirectory(Outside(_configuration));
    }

    /// <summary>The az of an edition; a test that needs one which is not there is skipped, or fails where peers are required.</summary>
    public static async Task<AzProgram> OfAsync(AzEdition edition, CancellationToken cancellationToken) =>
        edition is AzEdition.Debian12 ? OfThisMachine() : await OfDebian13Async(cancellationToken);

    /// <summary>The az of this machine (2.45 on Debian 12).</summary>
    /// <param name="forked">Whether commands run in forks of one process (<see cref="AzForks"/>), where that is possible; else each in a process of its own.</param>
    public static AzProgram OfThisMachine(bool forked = true) => new(Peer.RequireOrSkip("az", "azure-cli"), [], "/", forked);

    /// <summary>
    /// The az of Debian 13 (2.74), which debian13.sh makes. Where that cannot be made (no root, no mmdebstrap, no mirror)
    /// the test is skipped, or fails where peers are required.
    /// </summary>
    public static async Task<AzProgram> OfDebian13Async(CancellationToken cancellationToken)
    {
        var found = await CommandResult.RunAsync("bash", [Repository.Debian13Script, "path"], null, cancellationToken);
        var root = found.StandardOutput.Trim();
        if (found.ExitCode != 0)
            Peer.Missing("There is no folder with az of Debian 13: tests/Strongroom.Clients/debian13.sh prepare makes it (root, mmdebstrap).");
        return new AzProgram("/usr/bin/az", [Peer.RequireOrSkip("chroot", "coreutils"), root], root, forked: true);
    }

    /// <summary>The folder that az runs in and writes its files to, as this process sees it.</summary>
    public string WorkFolder => Outside(_configuration);

    /// <summary>Makes az trust the authority that issued the server's certificate.</summary>
    public void Trust(string caFile) => File.Copy(caFile, Outside($"{_configuration}/{CaFileName}"), overwrite: true);

    /// <summary>Runs a command of az to its end.</summary>
    public Task<CommandResult> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        Dictionary<string, string> environment = new()
        {
            ["AZURE_CONFIG_DIR"] = _configuration,
            ["AZURE_CORE_COLLECT_TELEMETRY"] = "false",
            ["HOME"] = _configuration,
            ["NO_PROXY"] = "localhost,127.0.0.1",
            ["LC_ALL"] = "C.UTF-8",
        };
        // A file that is not there would end az before it does anything, its help included.
        if (File.Exists(Outside($"{_configuration}/{CaFileName}")))
            environment["REQUESTS_CA_BUNDLE"] = $"{_configuration}/{CaFileName}";
        string[] command = [.. _prefix, "/usr/bin/env", "-C", _configuration, .. environment.Select(pair => $"{pair.Key}={pair.Value}")];
        if (!_forked)
            return CommandResult.RunAsync(command[0], [.. command.Skip(1), _program, .. arguments], null, cancellationToken);
        _forks ??= AzForks.Start(command, _program);
        return _forks.RunAsync(arguments, environment, cancellationToken);
    }

    public void Dispose()
    {
        _forks?.Dispose();
        Directory.Delete(Outside(_configuration), recursive: true);
    }

    // A path as az sees it, seen from outside its folder.
    private string Outside(string path) => Path.Combine(_root, path.TrimStart('/'));
}
