using Microsoft.AspNetCore.Builder;

namespace Strongroom.Arm;

/// <summary>Where an action is asked for.</summary>
public enum ActionCheck
{
    /// <summary>Over the scope that the request's path names, before the endpoint sees the request.</summary>
    Path,

    /// <summary>Over each thing that the answer tells of: the endpoint leaves out what the caller may not see.</summary>
    Items,

    /// <summary>Nowhere: whoever has signed in may ask.</summary>
    None,
}

/// <summary>What an endpoint does, as roles name it.</summary>
/// <param name="Name">Such as <c>Microsoft.RecoveryServices/vaults/backupPolicies/write</c>; compared without case.</param>
/// <param name="Check">Over which scopes the caller must have it.</param>
public sealed record ArmAction(string Name, ActionCheck Check)
{
    /// <summary>The path that roles know instead of the request's own.</summary>
    public Func<string, string> PathOf { get; init; } = static path => path;
}

/// <summary>Endpoints name their actions. One without a name is answered to nobody.</summary>
public static class ArmActionExtensions
{
    /// <summary>The caller needs this action over what the path names.</summary>
    public static TBuilder WithAction<TBuilder>(this TBuilder endpoint, string name)
        where TBuilder : IEndpointConventionBuilder => With(endpoint, new(name, ActionCheck.Path));

    /// <summary>The caller needs this action over what another path names: that of the same thing in the provider that roles are given for.</summary>
    /// <param name="pathOf">That path, of the request's.</param>
    public static TBuilder WithAction<TBuilder>(this TBuilder endpoint, string name, Func<string, string> pathOf)
        where TBuilder : IEndpointConventionBuilder => With(endpoint, new(name, ActionCheck.Path) { PathOf = pathOf });

    /// <summary>A list over many scopes: the endpoint shows those items over which the caller has the action.</summary>
    public static TBuilder WithListAction<TBuilder>(this TBuilder endpoint, string name)
        where TBuilder : IEndpointConventionBuilder => With(endpoint, new(name, ActionCheck.Items));

    /// <summary>Facts of the installation that everybody who signed in may know.</summary>
    public static TBuilder WithOpenAction<TBuilder>(this TBuilder endpoint, string name)
        where TBuilder : IEndpointConventionBuilder => With(endpoint, new(name, ActionCheck.None));

    private static TBuilder With<TBuilder>(TBuilder endpoint, ArmAction action)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(builder => builder.Metadata.Add(action));
        return endpoint;
    }
}
