using System.Globalization;
using System.Text.Json.Nodes;
using System.Xml;
using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.TimeTravel;

/// <summary><c>/providers/Strongroom.Testing/clock</c>: shows the server's clock and moves it forwards. Mapped only on servers with a clock that can be moved.</summary>
internal static class ClockEndpoints
{
    public const string Path = "/providers/Strongroom.Testing/clock";
    private const string ReadAction = "Strongroom.Testing/clock/read";
    private const string MoveAction = "Strongroom.Testing/clock/move/action";

    /// <summary>Of the built-in roles Owner alone has both this and <see cref="MoveAction"/>. The clock is everybody's.</summary>
    private const string OwnersAction = "Microsoft.Authorization/roleAssignments/write";

    public static void MapClock(this IEndpointRouteBuilder routes)
    {
        // The path is in no subscription; the roles that count are those over the server's.
        routes.MapGet(Path, Show).WithOpenAction(ReadAction);
        routes.MapPost(Path, MoveAsync).WithOpenAction(MoveAction);
    }

    private static IResult Show(HttpContext context, ClockMover mover, ArmOptions options)
    {
        context.Access()?.Require(ReadAction, Scope(options));
        return Answer(mover.Now);
    }

    private static async Task<IResult> MoveAsync(HttpContext context, ClockMover mover, ArmOptions options, CancellationToken cancellationToken)
    {
        context.Access()?.Require(MoveAction, Scope(options));
        context.Access()?.Require(OwnersAction, Scope(options));
        var body = await ArmJson.ReadObjectAsync(context.Request, cancellationToken);
        var (advance, set) = (body.OptionalText("advance"), body.OptionalText("set"));
        if (advance is null == set is null) throw ArmErrors.InvalidRequestContent("either 'advance' with a duration such as P1DT2H, or 'set' with a time such as 2027-01-01T00:00:00Z, is required");
        Func<DateTimeOffset, DateTimeOffset> choose = advance is not null ? Advance(advance) : Set(set!);
        try
        {
            return Answer(await mover.MoveAsync(choose, cancellationToken));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw ArmErrors.ServerBusy("The server is about to end; the clock stays where it has come to.", retryAfterSeconds: 5);
        }
    }

    private static Func<DateTimeOffset, DateTimeOffset> Advance(string text)
    {
        TimeSpan by;
        try { by = XmlConvert.ToTimeSpan(text); }
        catch (Exception e) when (e is FormatException or OverflowException) { throw ArmErrors.InvalidRequestContent("an ISO 8601 duration such as P1DT2H is expected", "$.advance"); }
        if (by < TimeSpan.Zero) throw ArmErrors.InvalidRequestContent("the clock is only moved forwards", "$.advance");
        return now => by <= ClockFile.Latest - now ? now + by : throw TooFar("$.advance");
    }

    private static Func<DateTimeOffset, DateTimeOffset> Set(string text)
    {
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
            throw ArmErrors.InvalidRequestContent("a time such as 2027-01-01T00:00:00Z is expected", "$.set");
        if (time > ClockFile.Latest) throw TooFar("$.set");
        return now => time >= now
            ? time
            : throw ArmErrors.InvalidRequestContent($"the clock is only moved forwards, and says {TrackedResources.Time(now)}", "$.set");
    }

    private static ArmException TooFar(string path) => ArmErrors.InvalidRequestContent($"the clock is moved no further than {TrackedResources.Time(ClockFile.Latest)}", path);

    private static string Scope(ArmOptions options) => "/subscriptions/" + options.Subscriptions[0].Id;

    private static IResult Answer(DateTimeOffset now) => ArmResults.Ok(new JsonObject { ["now"] = TrackedResources.Time(now) });
}
