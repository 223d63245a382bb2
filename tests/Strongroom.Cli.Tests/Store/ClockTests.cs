using Strongroom.Store;

namespace Strongroom.Cli.Tests.Store;

public sealed class ClockTests
{
    [Fact]
    public async Task A_clock_that_is_not_trusted_purges_nothing_until_somebody_accepts_it()
    {
        using var lab = new StoreLab();
        var longAgo = new StoppedClock(TimeProvider.System.GetUtcNow().AddDays(-400));
        var cancellationToken = TestContext.Current.CancellationToken;
        await using (var vault = await VaultStore.CreateAsync(new LocalBackend(lab.Vault), MasterKeyFile.LoadOrCreate(lab.KeyFile), new(), longAgo, cancellationToken))
        {
            await vault.Governance.SetPolicyAsync(new() { SoftDeleteDays = 14 }, cancellationToken);
            await using var session = await vault.OpenSessionAsync(cancellationToken);
            using var content = new MemoryStream([1, 2, 3]);
            var stream = await session.WriteStreamAsync(content, null, null, cancellationToken);
            var snapshot = await session.CommitAsync(new() { Id = new(Guid.NewGuid()), ItemId = "i", Images = [], Streams = [new("s", stream)] }, cancellationToken);
            await vault.Governance.DeleteAsync(snapshot.Id, cancellationToken);
        }

        var early = await lab.DoAsync("purge", lab.Vault);
        Assert.Empty(early["purged"]!.AsArray());
        Assert.Equal(400, (int)early["uncountedDays"]!);
        Assert.Contains("was not written to", (string)(await lab.DoAsync("accept-clock", lab.Vault))["distrust"]!, StringComparison.Ordinal);
        var late = await lab.DoAsync("purge", lab.Vault);
        Assert.Single(late["purged"]!.AsArray());
        Assert.Equal(0, (int)late["uncountedDays"]!);
        Assert.Null((await lab.DoAsync("accept-clock", lab.Vault))["distrust"]);
    }

    private sealed class StoppedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
