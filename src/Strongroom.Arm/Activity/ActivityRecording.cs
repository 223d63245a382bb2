using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Strongroom.Arm;

/// <summary>Writes down every request of a signed-in caller that changes something, whatever came of it, before its answer leaves.</summary>
/// <remarks>
/// The first byte of an answer waits for the event to be durable: a caller who was told of a change finds it in the log, whatever happens next.
/// An error changed nothing, so it is told even when the log cannot be written, as on a full disk.
/// </remarks>
internal sealed partial class ActivityRecording(RequestDelegate next, IActivityLog log, TimeProvider time, ILogger<ActivityRecording> logger)
{
    private long _prunedDay;

    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<ArmAction>() is not { } action || !IsWrite(context.Request.Method, action) || Caller.Of(context) is not { } caller)
        {
            await next(context);
            return;
        }
        bool isWritten = false;
        context.Response.OnStarting(WriteOnceAsync);
        try
        {
            await next(context);
        }
        finally
        {
            // Nobody waits for the answer any more, and it will not start; what was done was done all the same.
            if (context.RequestAborted.IsCancellationRequested) await WriteOnceAsync();
        }

        async Task WriteOnceAsync()
        {
            if (isWritten) return;
            isWritten = true;
            try
            {
                await WriteAsync(context, action, caller);
            }
            catch (Exception failure) when (context.Response.StatusCode >= 400)
            {
                LogNotWritten(failure, action.Name, context.Response.StatusCode);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Action} was answered with {Status}, and the activity log could not be written.")]
    private partial void LogNotWritten(Exception failure, string action, int status);

    /// <summary>Questions that are asked by POST change nothing, and their actions are called reads.</summary>
    private static bool IsWrite(string method, ArmAction action) =>
        !HttpMethods.IsGet(method) && !HttpMethods.IsHead(method) && !action.Name.EndsWith("/read", StringComparison.OrdinalIgnoreCase);

    private async Task WriteAsync(HttpContext context, ArmAction action, Caller caller)
    {
        DateTimeOffset now = time.GetUtcNow();
        await log.AppendAsync(new ActivityEvent(
            Guid.NewGuid(), now, caller, action.Name, RequestScope.Of(context.Request.Path), context.Request.Method, context.Response.StatusCode,
            context.Response.Headers["x-ms-correlation-request-id"].ToString(), context.TraceIdentifier, Known(context.Response.Headers["x-ms-client-request-id"].ToString()),
            context.Connection.RemoteIpAddress?.ToString()), CancellationToken.None);
        long day = now.UtcTicks / TimeSpan.TicksPerDay;
        if (Interlocked.Exchange(ref _prunedDay, day) != day) await log.PruneAsync(now, CancellationToken.None);
    }

    private static string? Known(string text) => text.Length == 0 ? null : text;
}
