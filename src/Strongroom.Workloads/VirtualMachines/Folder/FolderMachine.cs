using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Folder;

/// <summary>A machine and where it was found.</summary>
/// <param name="Folder">Real path of its folder.</param>
/// <param name="Files">Real paths of the disks, in the order of the machine's.</param>
/// <param name="OsDisk">The file that the description names as the operating system's disk, whether or not it is there; null where it names none.</param>
/// <param name="ProblemKind">The kind of the machine's problem, where it has one.</param>
internal sealed record FolderMachine(VirtualMachine Machine, string Folder, IReadOnlyList<DiskPlace> Files, string? OsDisk, MachineProblem ProblemKind);

/// <summary>A disk of a machine and the file that holds it.</summary>
internal sealed record DiskPlace(MachineDisk Disk, string Path);
