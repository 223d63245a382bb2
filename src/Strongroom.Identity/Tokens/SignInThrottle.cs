using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Strongroom.Identity.Tokens;

/// <summary>
/// Slows down whoever tries secrets. Wrong ones are counted for an application and the address they come from, so that nobody locks out
/// another's address; a secret that was right before is let through whatever was tried beside it, so that nobody locks out a neighbour.
/// Thread-safe; in memory alone.
/// </summary>
internal sealed class SignInThrottle(IdentityOptions options)
{
    /// <summary>Wrong secrets that are answered at once.</summary>
    public const int FreeFailures = 10;

    private const int MaximumDelaySeconds = 60;
    private const int MaximumSources = 10_000;

    private static readonly TimeSpan Forgetting = TimeSpan.FromMinutes(15);

    // Of this process alone: what is remembered of secrets is worth nothing elsewhere.
    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);
    private readonly ConcurrentDictionary<string, string> right = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<(string Client, string Address), Failures> wrong = new();

    /// <summary>Seconds to wait before this secret is looked at; null: now.</summary>
    public int? Delay(string client, string? secret, string address)
    {
        if (!wrong.TryGetValue(Source(client, address), out var failures))
            return null;
        var seconds = (int)Math.Ceiling((failures.Until - options.Time.GetUtcNow()).TotalSeconds);
        return seconds <= 0 || WasRight(client, secret) ? null : seconds;
    }

    public void Failed(string client, string address)
    {
        var now = options.Time.GetUtcNow();
        if (wrong.Count >= MaximumSources)
            Forget(now);
        wrong.AddOrUpdate(Source(client, address), _ => new(1, now, now), (_, before) =>
        {
            var count = now - before.At > Forgetting ? 1 : before.Count + 1;
            var seconds = count < FreeFailures ? 0 : Math.Min(MaximumDelaySeconds, 1 << Math.Min(count - FreeFailures, 6));
            return new(count, now, now.AddSeconds(seconds));
        });
    }

    public void Succeeded(string client, string secret, string address)
    {
        right[client] = Mark(secret);
        wrong.TryRemove(Source(client, address), out _);
    }

    private bool WasRight(string client, string? secret) => secret is not null && right.TryGetValue(client, out var mark) && mark == Mark(secret);

    private string Mark(string secret) => Convert.ToHexString(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(secret)));

    // Names that belong to nobody count as one: else each request could bring a new one.
    private static (string Client, string Address) Source(string client, string address) => (Guid.TryParse(client, out var id) ? id.ToString() : "", address);

    private void Forget(DateTimeOffset now)
    {
        foreach (var (source, failures) in wrong)
        {
            if (now - failures.At > Forgetting)
                wrong.TryRemove(source, out _);
        }

        // Ten thousand addresses at work within minutes are one attacker; what they are told now costs little.
        if (wrong.Count >= MaximumSources)
            wrong.Clear();
    }

    private sealed record Failures(int Count, DateTimeOffset At, DateTimeOffset Until);
}
