namespace Strongroom.Store;

/// <summary>A backend that knows the time from elsewhere than this machine, such as a cloud's <c>Date</c> header. Optional.</summary>
public interface IBackendClock
{
    /// <summary>The time there, or null when it is not known now.</summary>
    ValueTask<DateTimeOffset?> GetTimeAsync(CancellationToken cancellationToken);
}
