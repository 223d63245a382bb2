using Strongroom.Bench.Disks;

namespace Strongroom.Bench.Live;

/// <summary>What to measure.</summary>
/// <param name="Disk">The disk that is backed up; the machine boots another.</param>
/// <param name="ChangedPercent">Of the whole disk, changed between the first and the second backup in pieces of 64 KiB.</param>
/// <param name="Rounds">How often; the medians count.</param>
/// <param name="Quiet">How long the guest's writes are watched without a backup: half before the backups, half after.</param>
/// <param name="Strongroom">The command <c>strongroom</c>; where there is none ours is left out.</param>
/// <param name="Folder">Where to work: a new folder below it, which QEMU's user can reach.</param>
/// <param name="Keep">Leaves the repositories and the disk.</param>
/// <param name="JsonPath">Takes every single number; null for none.</param>
internal sealed record LiveOptions(DiskRecipe Disk, double ChangedPercent, int Rounds, TimeSpan Quiet, string Strongroom, string Folder, bool Keep, string? JsonPath);
