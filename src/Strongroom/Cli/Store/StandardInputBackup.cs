using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>Backs up what comes in on standard input as one stream.</summary>
internal sealed class StandardInputBackup(VerbContext context, string name, string? itemName, string? parentText)
{
    private readonly string item = itemName ?? name;

    public async Task<VerbResult> RunAsync(CancellationToken cancellationToken)
    {
        var started = context.Time.GetTimestamp();
        var vault = await context.OpenAsync(cancellationToken);
        var parent = ParentChoice.Find(vault, parentText, item, candidate => candidate.Streams.Count == 1);
        await using var session = await vault.OpenSessionAsync(cancellationToken);
        await using var input = new InterruptibleInput(Console.OpenStandardInput());
        var stream = await context.Console.TrackAsync(
            $"Backing up {name}",
            meter => session.WriteStreamAsync(input, parent?.Streams[0].Stream, meter.As<SessionProgress>(p => (p.BytesScanned, 0)), cancellationToken));
        return await BackupReport.CommitAsync(
            context,
            session,
            new()
            {
                Id = new(Guid.NewGuid()),
                ItemId = item,
                Images = [],
                Streams = [new(name, stream)],
                Parent = parent?.Id,
            },
            "stream",
            stream.LengthBytes,
            started,
            cancellationToken);
    }
}
