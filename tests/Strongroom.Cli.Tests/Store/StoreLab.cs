using System.Diagnostics;
using System.Text.Json.Nodes;
using Strongroom.Clients;

namespace Strongroom.Cli.Tests.Store;

/// <summary>How a run of the command ended.</summary>
public sealed record CommandRun(int ExitCode, string Output, string Error)
{
    /// <summary>The last line of the output, which with --output json is one JSON object.</summary>
    public JsonObject Json => JsonNode.Parse(Output.TrimEnd('\n').Split('\n')[^1])!.AsObject();

    public string ErrorCode => (string)Json["error"]!["code"]!;
}

/// <summary>A folder with a vault, its key and disks, and the built command to work on them.</summary>
public sealed class StoreLab : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("strongroom-cli-");

    public string Vault => this["vault"];

    public string KeyFile => this["key"];

    /// <summary>Variables of the command beside its key file.</summary>
    public Dictionary<string, string?> Environment { get; } = [];

    public string this[string name] => Path.Combine(folder.FullName, name);

    /// <summary>A lab with an empty vault.</summary>
    public static async Task<StoreLab> WithVaultAsync()
    {
        var lab = new StoreLab();
        await lab.DoAsync("init", lab.Vault);
        return lab;
    }

    /// <summary>Runs a verb to its end.</summary>
    public Task<CommandRun> RunAsync(params string[] arguments) => RunAsync([], arguments);

    /// <summary>Runs a verb to its end with something on its standard input.</summary>
    public async Task<CommandRun> RunAsync(byte[] input, params string[] arguments)
    {
        using var process = Start(arguments);
        await process.StandardInput.BaseStream.WriteAsync(input);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new(process.ExitCode, output, await error);
    }

    /// <summary>Runs a verb that must succeed, and returns its JSON.</summary>
    public async Task<JsonObject> DoAsync(params string[] arguments)
    {
        var run = await RunAsync([.. arguments, "--output", "json"]);
        Assert.True(run.ExitCode == 0, $"{string.Join(' ', arguments)} ended with {run.ExitCode}: {run.Error}");
        return run.Json;
    }

    /// <summary>Runs a verb that must end with an exit code, and returns its error's code and message.</summary>
    public async Task<(string Code, string Message)> FailAsync(int exitCode, params string[] arguments)
    {
        var run = await RunAsync([.. arguments, "--output", "json"]);
        Assert.True(run.ExitCode == exitCode, $"{string.Join(' ', arguments)} ended with {run.ExitCode} and not {exitCode}: {run.Output}{run.Error}");
        return (run.ErrorCode, (string)run.Json["error"]!["message"]!);
    }

    /// <summary>Starts a verb; its output is redirected.</summary>
    public Process Start(params string[] arguments) => StartProgram(["store", .. arguments]);

    /// <summary>Starts the program with any arguments; its output is redirected.</summary>
    public Process StartProgram(params string[] arguments)
    {
        var start = new ProcessStartInfo(Repository.ServerExecutable, arguments)
        {
            WorkingDirectory = folder.FullName,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["STRONGROOM_KEY_FILE"] = KeyFile;
        start.Environment.Remove("STRONGROOM_PASSPHRASE");
        foreach (var (name, value) in Environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Sends a signal by name, as kill(1) takes it, and waits for the end.</summary>
    public static async Task<int> SignalAsync(Process process, string signal)
    {
        using (var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync();
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    /// <summary>A disk with a hole, noise, and noise again.</summary>
    public byte[] WriteDisk(string name, int lengthBytes, int seed)
    {
        var content = new byte[lengthBytes];
        new Random(seed).NextBytes(content.AsSpan(lengthBytes / 4));
        content.AsSpan(lengthBytes / 2, lengthBytes / 8).Clear();
        File.WriteAllBytes(this[name], content);
        return content;
    }

    /// <summary>Inverts a byte in the middle of a file of the vault, as rot does.</summary>
    public static void Rot(string path)
    {
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = file.Length / 2;
        var old = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)~old);
    }

    /// <summary>The vault's greatest pack.</summary>
    public string GreatestPack() =>
        Directory.GetFiles(Vault, "*", SearchOption.AllDirectories).OrderByDescending(file => new FileInfo(file).Length).ThenBy(file => file, StringComparer.Ordinal).First();

    public void Dispose() => folder.Delete(recursive: true);
}
