namespace Strongroom.Store.Locations;

/// <summary>A location and the back end behind it, with what cloud services need around it. Thread-safe; disposing closes connections and files.</summary>
public sealed class VaultPlace : IDisposable
{
    private readonly IBlobBackend core;

    private VaultPlace(VaultLocation location, IBlobBackend core, IBlobBackend backend)
    {
        Location = location;
        this.core = core;
        Backend = backend;
    }

    /// <summary>Where it is.</summary>
    public VaultLocation Location { get; }

    /// <summary>What to give to <see cref="VaultStore"/>.</summary>
    public IBlobBackend Backend { get; }

    /// <summary>Opens a location with credentials from the environment of this process.</summary>
    /// <param name="location">Where.</param>
    /// <param name="budget">Limits; null for none.</param>
    /// <param name="time">Measures pauses and budgets.</param>
    /// <param name="onWaiting">Told when a service does not answer as it should and is asked again, once for each call; on changing threads.</param>
    /// <exception cref="StoreException">AccessDenied: there are no credentials, or not for this place.</exception>
    public static VaultPlace Open(VaultLocation location, BackendBudget? budget, TimeProvider time, Action<StoreException>? onWaiting = null) =>
        Open(location, budget, Environment.GetEnvironmentVariable, time, onWaiting);

    internal static VaultPlace Open(
        VaultLocation location, BackendBudget? budget, Func<string, string?> environment, TimeProvider time, Action<StoreException>? onWaiting = null)
    {
        ArgumentNullException.ThrowIfNull(location);
        var core = location.Connect(environment, time);

        // A disk that fails is not waited for: its errors do not pass. A network's do.
        var backend = location is FolderLocation ? core : new RetryingBackend(core, RetryOptions.Default with { OnWaiting = onWaiting }, time);
        return new(location, core, budget is null ? backend : new BudgetedBackend(backend, budget));
    }

    /// <summary>What is there, a vault's or not: see <see cref="ISharedPlace"/>.</summary>
    public IAsyncEnumerable<string> ListNamesAsync(CancellationToken cancellationToken) => ((ISharedPlace)core).ListNamesAsync(cancellationToken);

    /// <summary>Closes connections and files.</summary>
    public void Dispose() => (core as IDisposable)?.Dispose();
}
