using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store accept-clock</c>: somebody looked at this machine's clock and found it right.</summary>
internal static class AcceptClockVerb
{
    public static Command Create()
    {
        var command = new VerbCommand("accept-clock", "Say that this machine's clock is right, where the vault does not trust it and purges nothing.");
        command.SetVerb(async (_, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);
            var distrust = vault.Governance.ClockDistrust;
            var uncounted = (int)Math.Round(vault.Governance.UncountedTime.TotalDays);
            await vault.Governance.AcceptClockAsync(cancellationToken);
            var now = context.Time.GetUtcNow().UtcDateTime;
            return new(
                new JsonObject { ["acceptedTime"] = now, ["distrust"] = distrust, ["uncountedDays"] = uncounted },
                [
                    .. uncounted > 0 ? (string[])[$"{Sizes.Count(uncounted, "day")} in which the vault was not written to count from now on."] : [],
                    distrust is null ? "The clock was trusted already." : $"The clock was not trusted: {distrust}.",
                    $"It is {now.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC, says the vault's log from now on.",
                ]);
        });
        return command;
    }
}
