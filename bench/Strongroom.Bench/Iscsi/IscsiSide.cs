using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Strongroom.Bench.Iscsi;

/// <summary>A target that serves the disk from a process of its own, with CHAP.</summary>
internal abstract class IscsiSide(Process process) : IAsyncDisposable
{
    public const string User = "bench";
    public const string Secret = "bench-secret-16c";

    /// <summary>The disk, as libiscsi's programs and qemu take it.</summary>
    public required string Url { get; init; }

    /// <summary>User and system time of the server so far.</summary>
    public double CpuSeconds
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime.TotalSeconds;
        }
    }

    public long PeakRssBytes
    {
        get
        {
            process.Refresh();
            return process.PeakWorkingSet64;
        }
    }

    public virtual async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}

/// <summary>Ours: <c>strongroom store mount --iscsi</c>.</summary>
internal sealed class StrongroomSide : IscsiSide
{
    private StrongroomSide(Process process)
        : base(process)
    {
    }

    public static async Task<IscsiSide> StartAsync(BenchVault vault, string cache, CancellationToken cancellationToken)
    {
        string[] command = [.. vault.Mount, "--iscsi", "127.0.0.1:0", "--chap-file", vault.ChapPath, "--scratch", "--cache", cache, "--output", "json"];
        var process = Process.Start(Programs.StartOf(command, vault.Settings))!;
        var line = await process.StandardOutput.ReadLineAsync(cancellationToken)
            ?? throw new InvalidOperationException(await process.StandardError.ReadToEndAsync(cancellationToken));
        var uri = JsonNode.Parse(line)!["uri"]!.GetValue<string>();
        return new StrongroomSide(process) { Url = uri.Replace("iscsi://", $"iscsi://{User}%{Secret}@", StringComparison.Ordinal) };
    }
}

/// <summary>tgt over the same disk as a raw file, with 16 threads for each unit, as it comes.</summary>
internal sealed class TgtSide : IscsiSide
{
    private const string Name = "iqn.2026-01.test:raw";

    private TgtSide(Process process)
        : base(process)
    {
    }

    public static async Task<IscsiSide> StartAsync(string diskPath, CancellationToken cancellationToken)
    {
        var port = FreePorts.Take();

        // The number of the socket that it is told through; others may run theirs.
        var control = (100 + (port % 32000)).ToString(CultureInfo.InvariantCulture);
        var process = Process.Start(Programs.StartOf(["tgtd", "-f", "-C", control, "--iscsi", string.Create(CultureInfo.InvariantCulture, $"portal=127.0.0.1:{port}")], null))!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var side = new TgtSide(process) { Url = $"iscsi://{User}%{Secret}@127.0.0.1:{port}/{Name}/1" };
        try
        {
            await TellAsync(control, ["target", "new", "--tid", "1", "-T", Name], attempts: 50, cancellationToken);
            await TellAsync(control, ["logicalunit", "new", "--tid", "1", "--lun", "1", "-b", diskPath], 1, cancellationToken);
            await TellAsync(control, ["account", "new", "--user", User, "--password", Secret], 1, cancellationToken);
            await TellAsync(control, ["account", "bind", "--tid", "1", "--user", User], 1, cancellationToken);
            await TellAsync(control, ["target", "bind", "--tid", "1", "-I", "ALL"], 1, cancellationToken);
            return side;
        }
        catch
        {
            await side.DisposeAsync();
            throw;
        }
    }

    private static async Task TellAsync(string control, string[] what, int attempts, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await Programs.RunAsync(["tgtadm", "-C", control, "--lld", "iscsi", "--mode", what[0], "--op", .. what[1..]], null, cancellationToken);
                return;
            }
            catch (InvalidOperationException) when (--attempts > 0)
            {
                // It does not listen yet.
                await Task.Delay(100, cancellationToken);
            }
        }
    }
}
