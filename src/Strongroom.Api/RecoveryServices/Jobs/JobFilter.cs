using System.Globalization;
using Microsoft.AspNetCore.Http;
using Strongroom.Arm;
using Strongroom.Backup.Jobs;

namespace Strongroom.Api.RecoveryServices.Jobs;

/// <summary>The <c>$filter</c> of jobs, and the tokens of their pages.</summary>
internal static class JobFilter
{
    /// <summary>What the request asks for; null: nothing can match.</summary>
    public static JobQuery? Read(HttpRequest request)
    {
        var filter = ODataFilter.Parse(request.Query["$filter"]).OnlyKeys("status", "backupManagementType", "operation", "jobId", "startTime", "endTime");
        // A range is written with eq at both ends: jobs that started in it.
        var query = new JobQuery
        {
            State = filter["status"],
            Operation = filter["operation"],
            From = FilterTimes.Read(filter, "startTime"),
            Until = FilterTimes.Read(filter, "endTime"),
        };
        if (filter["backupManagementType"] is { } type)
        {
            if (ItemWords.KindOf(type) is not { } kind) return null;
            query = query with { Kind = kind };
        }

        if (!filter.TryGet("jobId", out var id)) return query;
        return Guid.TryParse(id, out var job) ? query with { JobId = job } : null;
    }

    public static string Token(Job job) => string.Create(CultureInfo.InvariantCulture, $"{job.StartedAt.UtcTicks}/{job.Id}");

    /// <exception cref="ArmException">400: the token is of another list.</exception>
    public static JobPosition Position(string token) =>
        token.Split('/') is [var ticks, var id] && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at <= DateTimeOffset.MaxValue.UtcTicks
        && Guid.TryParseExact(id, "D", out var job)
            ? new(new(at, TimeSpan.Zero), job)
            : throw Paging.Foreign();
}
