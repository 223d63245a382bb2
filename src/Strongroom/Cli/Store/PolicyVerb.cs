using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store policy</c>: shows the vault's rules about deletion, and changes those that options name.</summary>
internal static class PolicyVerb
{
    public static Command Create()
    {
        var days = new Option<int?>("--soft-delete-days") { Description = "How long 'undelete' can bring a snapshot back; 0: not at all." };
        var always = new Option<bool>("--soft-delete-always-on") { Description = "Soft delete can never be turned off or shortened again. Cannot be undone." };
        var immutability = new Option<Immutability?>("--immutability") { Description = "Off; Unlocked: the minimum retention counts; Locked: this policy can only be made stricter, for ever." };
        var retention = new Option<int?>("--minimum-retention-days") { Description = "No snapshot can be deleted before it is so old." };
        var command = new VerbCommand("policy", "Show or set the vault's rules about deletion.") { days, always, immutability, retention };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);
            var policy = vault.Governance.Policy;
            var next = policy with
            {
                SoftDeleteDays = parsed.GetValue(days) ?? policy.SoftDeleteDays,
                IsSoftDeleteAlwaysOn = parsed.GetValue(always) || policy.IsSoftDeleteAlwaysOn,
                Immutability = parsed.GetValue(immutability) ?? policy.Immutability,
                MinimumRetentionDays = parsed.GetValue(retention) ?? policy.MinimumRetentionDays,
            };
            if (next != policy)
                await vault.Governance.SetPolicyAsync(next, cancellationToken);
            return Report(vault.Governance);
        });
        return command;
    }

    private static VerbResult Report(VaultGovernance governance)
    {
        var policy = governance.Policy;
        return new(
            new JsonObject
            {
                ["softDeleteDays"] = policy.SoftDeleteDays,
                ["softDeleteAlwaysOn"] = policy.IsSoftDeleteAlwaysOn,
                ["immutability"] = policy.Immutability.ToString(),
                ["minimumRetentionDays"] = policy.MinimumRetentionDays,
                ["clockTrusted"] = governance.IsClockTrusted,
                ["clockDistrust"] = governance.ClockDistrust,
            },
            [
                $"Soft delete         {(policy.SoftDeleteDays == 0 ? "off" : Sizes.Count(policy.SoftDeleteDays, "day"))}{(policy.IsSoftDeleteAlwaysOn ? ", always on" : "")}",
                $"Immutability        {policy.Immutability}",
                $"Minimum retention   {Sizes.Count(policy.MinimumRetentionDays, "day")}",
                governance.ClockDistrust is { } why ? $"Clock               not trusted: {why}" : "Clock               trusted",
            ]);
    }
}
