using System.Diagnostics;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Kill;

/// <summary>
/// The server killed by SIGKILL at random moments of backup and restore. After every restart nothing may be stuck, and
/// whatever recovery point was ever listed restores exactly.
/// STRONGROOM_KILL_SEED repeats a run's choices; STRONGROOM_KILL_ROUNDS changes the number of kills.
/// </summary>
public sealed class KillTests : IDisposable
{
    private const int DefaultRounds = 50;
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 1_500_000)]
    public async Task No_recovery_point_is_lost_or_changed_when_the_server_is_killed_at_random_moments()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var output = TestContext.Current.TestOutputHelper!;
        var seed = KillSteps.Number("STRONGROOM_KILL_SEED") ?? Random.Shared.Next();
        var rounds = KillSteps.Number("STRONGROOM_KILL_ROUNDS") ?? DefaultRounds;
        output.WriteLine($"STRONGROOM_KILL_SEED={seed}, {rounds} rounds");
        var elapsed = Stopwatch.StartNew();

        var hostFolder = _folder.Combine("machines");
        Directory.CreateDirectory(hostFolder);
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), hostFolder, cancellationToken);
        try
        {
            using var scene = await KillScene.PrepareAsync(server, hostFolder, seed, output.WriteLine, cancellationToken);
            for (var round = 1; round <= rounds; round++)
                await scene.PlayRoundAsync(round, cancellationToken);
            await scene.EndAsync(cancellationToken);
            output.WriteLine($"{rounds} kills, {scene.RecoveryPoints} recovery points, {elapsed.Elapsed.TotalSeconds:F0} s");
        }
        catch
        {
            output.WriteLine(server.LogTail);
            throw;
        }
    }
}
