using System.Globalization;
using System.Text.RegularExpressions;

namespace Strongroom.Bench.Iscsi;

/// <summary>What an initiator does.</summary>
/// <param name="Name">For the table.</param>
/// <param name="RequestBytes">The length of each read.</param>
internal abstract partial record IscsiLoad(string Name, int RequestBytes)
{
    /// <summary>Of them the table is made.</summary>
    public static IReadOnlyList<IscsiLoad> All(int seconds, long diskBytes) =>
    [
        new PerfLoad("4 KiB at random, 32 under way", 4096, 32, true, seconds),
        new PerfLoad("128 KiB in a row, 16 under way", 128 << 10, 16, false, seconds),
        new QemuLoad("qemu-img bench, 64 KiB in a row, 16 under way", 64 << 10, 16, diskBytes),
    ];

    /// <summary>The command that reads from a disk.</summary>
    public abstract string[] CommandOf(string url);

    /// <summary>Requests each second, from what the command wrote.</summary>
    /// <exception cref="InvalidDataException">There is no result in it.</exception>
    public abstract double Parse(string output);

    private protected static double Number(Match match, string output) => match.Success
        ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
        : throw new InvalidDataException($"There is no result in: {output}");

    [GeneratedRegex(@"iops average (\d+)")]
    private static partial Regex PerfResult { get; }

    [GeneratedRegex(@"Run completed in ([0-9.]+) seconds")]
    private static partial Regex QemuResult { get; }

    private sealed record PerfLoad(string Name, int RequestBytes, int Depth, bool IsRandom, int Seconds) : IscsiLoad(Name, RequestBytes)
    {
        public override string[] CommandOf(string url) =>
        [
            "iscsi-perf", "-t", Text(Seconds), "-b", Text(RequestBytes / 512), "-m", Text(Depth), .. IsRandom ? ["-r"] : Array.Empty<string>(), url,
        ];

        public override double Parse(string output) => Number(PerfResult.Match(output), output);
    }

    private sealed record QemuLoad(string Name, int RequestBytes, int Depth, long DiskBytes) : IscsiLoad(Name, RequestBytes)
    {
        private long Requests => DiskBytes / RequestBytes;

        public override string[] CommandOf(string url) =>
            ["qemu-img", "bench", "-t", "none", "-f", "raw", "-c", Text(Requests), "-d", Text(Depth), "-s", Text(RequestBytes), url];

        public override double Parse(string output) => Requests / Number(QemuResult.Match(output), output);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
