namespace Strongroom.Client;

/// <summary>How long a client waits for anything of a server. Each wait has a limit.</summary>
internal static class TimeLimits
{
    public static readonly TimeSpan Connect = TimeSpan.FromSeconds(15);
    public static readonly TimeSpan Request = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan Operation = TimeSpan.FromMinutes(2);

    /// <summary>Between two polls when the server does not say, and at most: the server is ours and on this machine.</summary>
    public static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);
    public static readonly TimeSpan PollIntervalMax = TimeSpan.FromSeconds(1);

    /// <summary>Runs <paramref name="work"/> with a token that also ends after <paramref name="limit"/>.</summary>
    /// <exception cref="ClientException">The limit passed; <paramref name="what"/> names what did not happen.</exception>
    public static async Task<T> WithinAsync<T>(
        TimeSpan limit, string what, TimeProvider time, Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        using var clock = new CancellationTokenSource(limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(clock.Token, cancellationToken);
        try
        {
            return await work(both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (clock.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ClientException($"Gave up after {limit.TotalSeconds:0} seconds: {what}.", e);
        }
    }
}
