using System.Diagnostics;
using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Live;

/// <summary>Ours: servers, one for each place, that protect the machine; their jobs are asked for over the API as users do.</summary>
/// <remarks>A machine's first disk cannot be left out of its backup, so ours backs up the one that the machine boots as well.</remarks>
/// <param name="executable">The command <c>strongroom</c>.</param>
internal sealed class StrongroomLiveTool(LiveScene scene, string executable) : LiveTool(scene)
{
    public const string OurName = "strongroom";

    private ProtectingServer? _kept;
    private ProtectingServer? _apart;

    public override string Name => OurName;

    public override bool ReadsThroughQemu => true;

    public override string RepositoryOf(LiveStep step) => Path.Combine(DataOf(step), "vaults");

    public override async Task PrepareAsync(CancellationToken cancellationToken)
    {
        _kept = await ProtectingServer.StartAsync(executable, DataOf(LiveStep.First), Scene, cancellationToken);
        _apart = await ProtectingServer.StartAsync(executable, DataOf(LiveStep.Apart), Scene, cancellationToken);
    }

    public override async Task<LiveUsage> BackupAsync(LiveStep step, CancellationToken cancellationToken)
    {
        var server = (step == LiveStep.Apart ? _apart : _kept) ?? throw new InvalidOperationException("The servers are not prepared.");
        var before = ProcessCounters.Read(server.ProcessId);
        var startedAt = Stopwatch.GetTimestamp();
        var job = await server.BackUpAsync(cancellationToken);
        var wall = Stopwatch.GetElapsedTime(startedAt).TotalSeconds;
        var took = ProcessCounters.Read(server.ProcessId) - before;
        return new(wall, took.CpuSeconds + took.ChildCpuSeconds, took.ReadBytes, LiveJob.Parse(job));
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var server in (ProtectingServer?[])[_kept, _apart])
            if (server is not null)
                await server.DisposeAsync();
        await base.DisposeAsync();
    }

    private string DataOf(LiveStep step) => base.RepositoryOf(step);
}
