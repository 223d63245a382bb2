namespace Strongroom.Arm;

/// <summary>What this installation shows of itself as a cloud. Immutable; validated once at the start.</summary>
public sealed record ArmOptions
{
    /// <summary>The tenant everything belongs to, a GUID.</summary>
    public required string TenantId { get; init; }

    public string TenantDisplayName { get; init; } = "Strongroom";

    /// <summary>The subscriptions; their ids are GUIDs.</summary>
    public required IReadOnlyList<ArmSubscription> Subscriptions { get; init; }

    /// <summary>The regions that resources can be in; the first is the default.</summary>
    public IReadOnlyList<ArmLocation> Locations { get; init; } = [new("home", "Home")];

    /// <summary>What clients are asked to wait between two looks at a running operation, in seconds.</summary>
    public int RetryAfterSeconds { get; init; } = 5;

    /// <summary>How many requests for one action each caller has in an hour; null: as many as they like.</summary>
    public int? RequestsPerHour { get; init; }

    /// <summary>The address that URLs handed out begin with, whatever Host header a request brought; null: the one the client used.</summary>
    public Uri? PublicUrl { get; init; }

    /// <summary>The largest body of a request, in bytes.</summary>
    public long MaxRequestBodyBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Refuses options no client could work with.</summary>
    /// <exception cref="ArgumentException">Names everything that is wrong.</exception>
    public void Validate()
    {
        List<string> faults = [];
        if (!Guid.TryParseExact(TenantId, "D", out _)) faults.Add($"TenantId '{TenantId}' is not a GUID");
        if (Subscriptions.Count == 0) faults.Add("Subscriptions is empty");
        faults.AddRange(Subscriptions.Where(static s => !Guid.TryParseExact(s.Id, "D", out _)).Select(static s => $"subscription '{s.Id}' is not a GUID"));
        if (Locations.Count == 0) faults.Add("Locations is empty");
        if (RetryAfterSeconds is < 0 or > 600) faults.Add($"RetryAfterSeconds {RetryAfterSeconds} is not within 0 and 600");
        if (RequestsPerHour < 1) faults.Add($"RequestsPerHour {RequestsPerHour} is below 1");
        if (MaxRequestBodyBytes < 1024) faults.Add($"MaxRequestBodyBytes {MaxRequestBodyBytes} is below 1024");
        if (faults.Count > 0) throw new ArgumentException(string.Join("; ", faults));
    }

    /// <summary>The subscription with this id, without regard to case, or null.</summary>
    public ArmSubscription? FindSubscription(string id) => Subscriptions.FirstOrDefault(s => string.Equals(s.Id, id, StringComparison.OrdinalIgnoreCase));

    /// <summary>The location with this name or display name ("West US" is "westus"), or null.</summary>
    public ArmLocation? FindLocation(string name)
    {
        string normal = Normalise(name);
        return Locations.FirstOrDefault(l => Normalise(l.Name) == normal || Normalise(l.DisplayName) == normal);

        static string Normalise(string text) => text.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant();
    }

    /// <summary>The canonical name of a location that a client wrote.</summary>
    /// <exception cref="ArmException">400: missing, or none of <see cref="Locations"/>.</exception>
    public string RequireLocation(string? name, string type)
    {
        if (string.IsNullOrWhiteSpace(name)) throw ArmErrors.LocationRequired();
        return FindLocation(name)?.Name ?? throw ArmErrors.LocationNotAvailable(name, type, Locations.Select(static l => l.Name));
    }
}

/// <summary>A subscription: a GUID and what people call it.</summary>
public sealed record ArmSubscription(string Id, string DisplayName);

/// <summary>A region: the name in resources (<c>home</c>) and the one people read (<c>Home</c>).</summary>
public sealed record ArmLocation(string Name, string DisplayName);
