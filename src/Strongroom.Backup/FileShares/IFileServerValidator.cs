using System.Text.Json.Nodes;

namespace Strongroom.Backup.FileShares;

/// <summary>Decides whether the properties of a <c>Strongroom.Fabric/fileServers</c> resource can be accepted; one for each kind of server.</summary>
/// <remarks>Thread-safe. It may block: what it looks at may lie on a mount that does not answer.</remarks>
public interface IFileServerValidator
{
    /// <summary>The kind this one judges, such as <c>Local</c>.</summary>
    string Kind { get; }

    /// <summary>What is kept of the properties that were sent: those that the kind has, checked. Others are left out.</summary>
    /// <exception cref="Strongroom.Arm.ArmException">400: a property is missing, of the wrong type or not allowed. Nothing else of the server's files is told.</exception>
    JsonObject Accept(JsonObject sent);
}
