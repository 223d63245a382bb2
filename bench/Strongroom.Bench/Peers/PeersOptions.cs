using Strongroom.Bench.Disks;

namespace Strongroom.Bench.Peers;

/// <summary>A disk of the comparison.</summary>
internal sealed record DiskCase(string Name, DiskRecipe Disk, ChangeRecipe Change);

/// <summary>What to compare.</summary>
/// <param name="Cases">The disks.</param>
/// <param name="Peers">Beside which programs, of restic and borg; those that are not installed are left out.</param>
/// <param name="Rounds">How often; the medians count.</param>
/// <param name="Reads">Random reads in each round.</param>
/// <param name="Folder">Where to work: a new folder below it.</param>
/// <param name="Settle">Brings everything written by anybody to the disk before each step.</param>
/// <param name="Keep">Leaves what was made.</param>
/// <param name="StrongroomPath">The command <c>strongroom</c>; null for this program's own steps.</param>
/// <param name="JsonPath">Takes every single number; null for none.</param>
internal sealed record PeersOptions(
    IReadOnlyList<DiskCase> Cases, IReadOnlyList<string> Peers, int Rounds, int Reads, string Folder, bool Settle, bool Keep, string? StrongroomPath, string? JsonPath);
