namespace Strongroom.Bench.Files;

/// <summary>What to compare.</summary>
/// <param name="SmallFiles">How many small files: 4 KiB on average, 100 in a folder.</param>
/// <param name="LargeBytes">How much in files of 4 to 256 MiB.</param>
/// <param name="ChangedPercent">Of the files, changed between two backups.</param>
/// <param name="Source">The folder whose files are the text in them.</param>
/// <param name="Peers">Beside which programs, of restic and borg; those that are not installed are left out.</param>
/// <param name="Rounds">How often; the medians count.</param>
/// <param name="Folder">Where to work: a new folder below it.</param>
/// <param name="Settle">Brings everything written by anybody to the disk before each step.</param>
/// <param name="Keep">Leaves what was made.</param>
/// <param name="Strongroom">The command <c>strongroom</c>.</param>
/// <param name="JsonPath">Takes every single number; null for none.</param>
internal sealed record FilesOptions(
    int SmallFiles, long LargeBytes, double ChangedPercent, string Source, IReadOnlyList<string> Peers, int Rounds, string Folder, bool Settle, bool Keep, string Strongroom, string? JsonPath);
