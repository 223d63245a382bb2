using Strongroom.Clients.Disks;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Az;

/// <summary>The unmodified az against a running server.</summary>
public sealed class AzStoryTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 1_800_000)]
    public async Task The_az_of_this_machine_plays_the_whole_story()
    {
        using var program = AzProgram.OfThisMachine(forked: false);
        await PlayAsync(program, (story, token) => story.ProtectByRestAsync(token), TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = 1_800_000)]
    public async Task The_az_of_Debian_13_plays_the_quickstart_unmodified()
    {
        using var program = await AzProgram.OfDebian13Async(TestContext.Current.CancellationToken);
        await PlayAsync(program, (story, token) => story.ProtectAsync(token), TestContext.Current.CancellationToken);
    }

    private async Task PlayAsync(AzProgram program, Func<AzStory, CancellationToken, Task> protect, CancellationToken cancellationToken)
    {
        var hostFolder = _folder.Combine("machines");
        var machine = SampleMachine.Create(hostFolder, "web1", seed: 1, 48, 16);
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), hostFolder, cancellationToken);
        var az = await AzCli.SignInAsync(program, server, cancellationToken);
        using var client = await ArmClient.SignInAsync(server, cancellationToken);
        var story = new AzStory(az, client, server, machine, hostFolder);

        await story.MakeVaultAsync(cancellationToken);
        await story.ReadPoliciesAsync(cancellationToken);
        await story.AddHostAsync(cancellationToken);
        await story.DiscoverAsync(cancellationToken);
        await protect(story, cancellationToken);

        var firstContent = machine.Content();
        var first = await story.BackUpAsync(cancellationToken);
        machine.Change(seed: 2);
        var secondContent = machine.Content();
        Assert.NotEqual(firstContent, secondContent);
        var second = await story.BackUpAsync(cancellationToken);
        machine.Change(seed: 3);

        await story.MakeStorageAccountAsync(cancellationToken);
        await story.RestoreAsync(first, firstContent, cancellationToken);
        await story.RestoreAsync(second, secondContent, cancellationToken);
        await story.RestoreAsDisksAsync(second, cancellationToken);
        await story.RestoreAsNewMachineAsync(first, firstContent, cancellationToken);
        await story.RestoreInPlaceAsync(first, firstContent, cancellationToken);
        await story.TakeDownAsync(cancellationToken);
    }
}
