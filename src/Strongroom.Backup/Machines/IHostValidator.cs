using System.Text.Json.Nodes;

namespace Strongroom.Backup.Machines;

/// <summary>Decides whether the properties of a <c>Strongroom.Fabric/hosts</c> resource can be accepted; one for each kind of host.</summary>
/// <remarks>Thread-safe.</remarks>
public interface IHostValidator
{
    /// <summary>The kind this one judges, such as <c>Folder</c>.</summary>
    string Kind { get; }

    /// <summary>What is kept of the properties that were sent: those that the kind has, checked. Others are left out.</summary>
    /// <exception cref="HostRefusedException">The host cannot be used.</exception>
    /// <exception cref="Strongroom.Arm.ArmException">400: a property is missing or of the wrong type.</exception>
    JsonObject Accept(JsonObject sent);
}

/// <summary>A host that is not accepted. The message tells the caller what is wrong without telling what else is on the server.</summary>
/// <param name="property">The property that is refused, such as <c>path</c>.</param>
/// <param name="code">The error's code, such as <c>HostPathNotAllowed</c>.</param>
public sealed class HostRefusedException(string property, string code, string message) : Exception(message)
{
    public string Property { get; } = property;

    public string Code { get; } = code;
}
