using Strongroom.Bench.Disks;

namespace Strongroom.Bench.Iscsi;

/// <summary>What to compare.</summary>
/// <param name="Disk">The disk that both serve.</param>
/// <param name="StrongroomPath">The command <c>strongroom</c>.</param>
/// <param name="Rounds">How often; the medians count.</param>
/// <param name="Seconds">How long each run of iscsi-perf lasts.</param>
/// <param name="Cache">Memory for what ours has read, as <c>mount --cache</c> takes it.</param>
/// <param name="Folder">Where to work: a new folder below it.</param>
/// <param name="Keep">Leaves what was made.</param>
/// <param name="JsonPath">Takes every single number; null for none.</param>
internal sealed record IscsiBenchOptions(DiskRecipe Disk, string StrongroomPath, int Rounds, int Seconds, string Cache, string Folder, bool Keep, string? JsonPath);
