using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Folder;

/// <summary>Judges hosts of kind <c>Folder</c>: their path lies below a folder that the operator has allowed.</summary>
public sealed class FolderHostValidator(AllowedRoots roots) : IHostValidator
{
    /// <inheritdoc/>
    public string Kind => "Folder";

    /// <inheritdoc/>
    public JsonObject Accept(JsonObject sent)
    {
        var path = sent.RequiredText("path");
        return roots.RefuseFolder(path) is { } reason ? throw new HostRefusedException("path", "HostPathNotAllowed", reason) : new() { ["path"] = path };
    }
}
