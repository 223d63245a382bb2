namespace Strongroom.Arm;

/// <summary>A refusal that the client must see, in Azure Resource Manager's shape.</summary>
/// <remarks>Made only by <see cref="ArmErrors"/>, so that the codes stand in one place. <see cref="Exception.Message"/> goes to the client as it is.</remarks>
public sealed class ArmException : Exception
{
    internal ArmException(int status, string code, string message, string? target = null, IReadOnlyList<ArmErrorDetail>? details = null, bool isGateway = false)
        : base(message)
    {
        Status = status;
        Code = code;
        Target = target;
        Details = details ?? [];
        IsGateway = isGateway;
    }

    /// <summary>The HTTP status.</summary>
    public int Status { get; }

    /// <summary>The code clients switch on.</summary>
    public string Code { get; }

    /// <summary>What the error is about, or null.</summary>
    public string? Target { get; }

    /// <summary>The single faults behind this one; empty where there are none.</summary>
    public IReadOnlyList<ArmErrorDetail> Details { get; }

    /// <summary>True where Resource Manager itself answers and not a provider: the answer carries <c>x-ms-failure-cause: gateway</c>.</summary>
    public bool IsGateway { get; }

    /// <summary>Seconds after which a repetition makes sense (<c>Retry-After</c>), or null.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>The methods that are allowed (<c>Allow</c>), or null.</summary>
    public string? Allow { get; init; }
}

/// <summary>One of several faults in an error.</summary>
public sealed record ArmErrorDetail(string Code, string Message, string? Target = null);
