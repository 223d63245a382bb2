using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Strongroom.Arm;

/// <summary>
/// Counts what each caller asks for, action by action, and tells how much is left (<c>x-ms-ratelimit-remaining-*</c>). Refuses only where the operator has set a
/// limit.
/// </summary>
/// <remarks>An hour begins with the first request after the one before it is over. The counts are in memory: a restart forgets them.</remarks>
internal sealed class RequestQuota(RequestDelegate next, ArmOptions options, TimeProvider time)
{
    /// <summary>What the header counts down from where there is no limit: Resource Manager's own number for reads.</summary>
    private const int Shown = 12_000;

    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);
    private readonly ConcurrentDictionary<(Guid Caller, string Action), Window> _windows = new();

    public Task InvokeAsync(HttpContext context)
    {
        if (!ArmPipeline.IsArmPath(context.Request.Path) || context.GetEndpoint()?.Metadata.GetMetadata<ArmAction>()?.Name is not { } action) return next(context);
        var window = _windows.GetOrAdd((Caller.Of(context)?.ObjectId ?? Guid.Empty, action), static _ => new Window());
        var limit = options.RequestsPerHour ?? Shown;
        (int used, TimeSpan left) = window.Count(time.GetUtcNow(), limit);
        context.Response.Headers[Header(context.Request.Method)] = Math.Max(0, limit - used).ToString(CultureInfo.InvariantCulture);
        return used > limit && options.RequestsPerHour is not null
            ? throw ArmErrors.ResourceRequestsThrottled(action, limit, Interval, Math.Max(1, (int)Math.Ceiling(left.TotalSeconds)))
            : next(context);
    }

    private static string Header(string method) => "x-ms-ratelimit-remaining-subscription-" + method switch
    {
        "GET" or "HEAD" => "resource-requests",
        "DELETE" => "deletes",
        _ => "writes",
    };

    private sealed class Window
    {
        private readonly Lock _gate = new();
        private DateTimeOffset _begin;
        private int _used;

        /// <summary>Counts one request. What is refused is counted once more than the limit and no further.</summary>
        public (int Used, TimeSpan Left) Count(DateTimeOffset now, int limit)
        {
            lock (_gate)
            {
                // A clock that was set back must not stretch the hour.
                if (now >= _begin + Interval || now < _begin) (_begin, _used) = (now, 0);
                _used = Math.Min(_used, limit) + 1;
                return (_used, _begin + Interval - now);
            }
        }
    }
}
