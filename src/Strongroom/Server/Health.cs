using Strongroom.Arm;
using Strongroom.Hosting;

namespace Strongroom.Server;

/// <summary>For supervisors: <c>/healthz</c> says that the process answers, <c>/readyz</c> that it can work.</summary>
internal static class Health
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", () => Results.Text("healthy\n")).AllowAnonymous();
        routes.MapGet("/readyz", ReadyAsync).AllowAnonymous();
    }

    private static async Task<IResult> ReadyAsync(IResourceStore resources, ArmOptions options, DataFolder data, StorageHealth storages, ILogger<StrongroomServer> log, CancellationToken cancellationToken)
    {
        try
        {
            await resources.ListGroupsAsync(options.Subscriptions[0].Id, cancellationToken);
            if (DiskRoom.IsShort(data)) return Results.Text("the disk of the data folder is full\n", statusCode: StatusCodes.Status503ServiceUnavailable);

            // Other vaults can be worked with, and lists and settings of this one too: no reason to take the server out of service.
            var unreachable = await storages.FindUnreachableAsync(cancellationToken);
            return Results.Text("ready\n" + string.Concat(unreachable.Select(name => $"storage '{name}' cannot be reached\n")));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log.LogError(e, "The database does not answer");
            return Results.Text("the database does not answer\n", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }
}
