using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Folder;

/// <summary>Judges the path of a host of kind <c>Folder</c>.</summary>
public sealed class FolderHostValidator(AllowedRoots roots) : IHostValidator
{
    /// <inheritdoc/>
    public string Kind => "Folder";

    /// <inheritdoc/>
    public string? Refuse(string path) => roots.RefuseFolder(path);
}
