using System.CommandLine;
using System.Globalization;
using Strongroom.Bench.Disks;
using Strongroom.Bench.Files;
using Strongroom.Bench.Indexing;
using Strongroom.Bench.Iscsi;
using Strongroom.Bench.Live;
using Strongroom.Bench.Marking;
using Strongroom.Bench.Nbd;
using Strongroom.Bench.Peers;
using Strongroom.Bench.Primitives;

namespace Strongroom.Bench.Cli;

/// <summary>The verbs that people call.</summary>
internal static class BenchCommands
{
    private const long Gibibyte = 1L << 30;

    public static Command Image()
    {
        var output = new Argument<string>("OUT");
        var size = Options.Size("--size", "The disk's size", 2 * Gibibyte);
        var zero = Options.Standard("--zero", "Share of holes", 40.0);
        var text = Options.Standard("--text", "Share of files' content", 30.0);
        var random = Options.Standard("--random", "Share of bytes that do not compress", 30.0);
        var seed = Options.Standard("--seed", "The same seed, the same disk", 1UL);
        var source = Options.Source;
        var make = Options.Verb("make", "Makes a disk", [output, size, zero, text, random, seed, source], (parsed, _) =>
        {
            var recipe = new DiskRecipe(
                parsed.GetValue(size), parsed.GetValue(zero), parsed.GetValue(text), parsed.GetValue(random), parsed.GetValue(seed), parsed.GetValue(source)!);
            Console.WriteLine(DiskMaker.Make(parsed.GetRequiredValue(output), recipe));
            return Task.FromResult(0);
        });
        var image = new Argument<string>("IMG");
        var percent = Options.Standard("--percent", "Of the whole disk", 2.0);
        var extent = Options.Size("--extent", "Length and alignment of each change", 64 << 10);
        var changed = Options.Optional("--changed", "Takes a line 'offset length' for each change");
        var dirty = Options.Verb("dirty", "Changes a disk", [image, percent, extent, seed, source, changed], (parsed, _) =>
        {
            var recipe = new ChangeRecipe(parsed.GetValue(percent), checked((int)parsed.GetValue(extent)), parsed.GetValue(seed), parsed.GetValue(source)!);
            Console.WriteLine(DiskMaker.Change(parsed.GetRequiredValue(image), recipe, parsed.GetValue(changed)).Count);
            return Task.FromResult(0);
        });
        return new("image", "Disks like a machine's, the same each time") { make, dirty };
    }

    public static Command Peers()
    {
        var disks = Options.Standard("--disks", "Which disks: mixed, sparse or both with a comma", "mixed,sparse");
        var size = Options.Size("--size", "Size of the mixed disk (40 % holes, 30 % files, 30 % random)", 2 * Gibibyte);
        var sparseSize = Options.Size("--sparse-size", "Size of the sparse disk (90 % holes)", 20 * Gibibyte);
        var peers = Options.Standard("--peers", "Beside which programs, with a comma; empty for none", "restic,borg");
        var rounds = Options.Standard("--rounds", "How often; medians are printed", 3);
        var reads = Options.Standard("--reads", "Random reads of 4 KiB in each round", 20_000);
        var strongroom = Options.Optional("--strongroom", "The command strongroom; without it this program's own steps run");
        var json = Options.Optional("--json", "File that takes every number");
        var source = Options.Source;
        var folder = Options.Folder;
        var keep = Options.Keep;
        return Options.Verb(
            "peers", "Ours beside restic and borg", [disks, size, sparseSize, peers, rounds, reads, strongroom, json, source, folder, keep], (parsed, cancellationToken) =>
            {
                var files = parsed.GetValue(source)!;
                DiskCase[] all =
                [
                    new("mixed", new(parsed.GetValue(size), 40, 30, 30, 1, files), new(2, 64 << 10, 2, files)),
                    new("sparse", new(parsed.GetValue(sparseSize), 90, 5, 5, 1, files), new(0.2, 64 << 10, 2, files)),
                ];
                var wanted = parsed.GetValue(disks)!.Split(',');
                var options = new PeersOptions(
                    [.. all.Where(disk => wanted.Contains(disk.Name))],
                    parsed.GetValue(peers)!.Split(',', StringSplitOptions.RemoveEmptyEntries),
                    parsed.GetValue(rounds),
                    parsed.GetValue(reads),
                    parsed.GetValue(folder)!,
                    Settle: true,
                    parsed.GetValue(keep),
                    parsed.GetValue(strongroom) is { } program ? Path.GetFullPath(program) : null,
                    parsed.GetValue(json));
                return PeersBench.RunAsync(options, cancellationToken);
            });
    }

    public static Command Iscsi()
    {
        var strongroom = Options.Required("--strongroom", "The command strongroom");
        var size = Options.Size("--size", "Size of the disk (40 % holes, 30 % files, 30 % random)", 2 * Gibibyte);
        var rounds = Options.Standard("--rounds", "How often; medians are printed", 3);
        var seconds = Options.Standard("--seconds", "How long each run of iscsi-perf lasts", 10);
        var cache = Options.Standard("--cache", "Memory for what ours has read; warm means that the disk fits in", "2G");
        var json = Options.Optional("--json", "File that takes every number");
        var source = Options.Source;
        var folder = Options.Folder;
        var keep = Options.Keep;
        return Options.Verb(
            "iscsi", "A recovery point over iSCSI beside the same disk as a raw file served by tgt; needs root for tgt", [strongroom, size, rounds, seconds, cache, json, source, folder, keep], (parsed, cancellationToken) =>
                IscsiBench.RunAsync(
                    new(
                        new(parsed.GetValue(size), 40, 30, 30, 1, parsed.GetValue(source)!),
                        Path.GetFullPath(parsed.GetRequiredValue(strongroom)),
                        parsed.GetValue(rounds),
                        parsed.GetValue(seconds),
                        parsed.GetValue(cache)!,
                        parsed.GetValue(folder)!,
                        parsed.GetValue(keep),
                        parsed.GetValue(json)),
                    cancellationToken));
    }

    public static Command Nbd()
    {
        var size = Options.Size("--size", "Size of the disk, all of it random", 2 * Gibibyte);
        var request = Options.Size("--request", "Length of each read", 256 << 10);
        var connections = Options.Standard("--connections", "How many, with a comma", "1,4");
        var rounds = Options.Standard("--rounds", "How often; medians are printed", 5);
        var folder = Options.Folder;
        return Options.Verb("nbd", "Our NBD client beside nbdcopy, both reading from qemu-nbd", [size, request, connections, rounds, folder], (parsed, cancellationToken) =>
            NbdBench.RunAsync(
                new(
                    new(parsed.GetValue(size), 0, 0, 100, 1, "/usr"),
                    checked((int)parsed.GetValue(request)),
                    [.. parsed.GetValue(connections)!.Split(',').Select(count => int.Parse(count, CultureInfo.InvariantCulture))],
                    parsed.GetValue(rounds),
                    parsed.GetValue(folder)!),
                cancellationToken));
    }

    public static Command Live()
    {
        var size = Options.Size("--size", "Size of the disk", 20 * Gibibyte);
        var zero = Options.Standard("--zero", "Share of holes; the rest is half files, half random", 85.0);
        var percent = Options.Standard("--percent", "Of the whole disk, changed by the guest in pieces of 64 KiB", 1.0);
        var rounds = Options.Standard("--rounds", "How often; medians are printed", 3);
        var strongroom = Options.Optional("--strongroom", "The command strongroom; without it the one that was built beside this program");
        var seconds = Options.Standard("--seconds", "How long the guest's writes are watched without a backup", 20);
        var json = Options.Optional("--json", "File that takes every number");
        var source = Options.Source;
        var folder = Options.Folder;
        var keep = Options.Keep;
        return Options.Verb("live", "Backups of a virtual machine that runs, on a libvirtd of its own; needs root", [strongroom, size, zero, percent, rounds, seconds, json, source, folder, keep], (parsed, cancellationToken) =>
        {
            var data = (100 - parsed.GetValue(zero)) / 2;
            return LiveBench.RunAsync(
                new(
                    new(parsed.GetValue(size), parsed.GetValue(zero), data, data, 1, parsed.GetValue(source)!),
                    parsed.GetValue(percent),
                    parsed.GetValue(rounds),
                    TimeSpan.FromSeconds(parsed.GetValue(seconds)),
                    Path.GetFullPath(parsed.GetValue(strongroom) ?? Repository.ServerExecutable),
                    parsed.GetValue(folder)!,
                    parsed.GetValue(keep),
                    parsed.GetValue(json)),
                cancellationToken);
        });
    }

    public static Command Files()
    {
        var small = Options.Standard("--small", "Small files, 4 KiB on average", 100_000);
        var large = Options.Standard("--large", "GiB in files of 4 to 256 MiB", 4.0);
        var percent = Options.Standard("--changed", "Percent that change between two backups", 1.0);
        var peers = Options.Standard("--peers", "Beside which programs, with a comma; empty for none", "restic,borg");
        var rounds = Options.Standard("--rounds", "How often; medians are printed", 3);
        var strongroom = Options.Optional("--strongroom", "The command strongroom; without it the one that was built with this");
        var json = Options.Optional("--json", "File that takes every number");
        var source = Options.Source;
        var folder = Options.Folder;
        var keep = Options.Keep;
        Option[] all = [small, large, percent, peers, rounds, strongroom, json, source, folder, keep];
        return Options.Verb("files", "Folders of files beside restic and borg", all, (parsed, cancellationToken) => FilesBench.RunAsync(
            new(
                parsed.GetValue(small),
                (long)(parsed.GetValue(large) * Gibibyte),
                parsed.GetValue(percent),
                parsed.GetValue(source)!,
                parsed.GetValue(peers)!.Split(',', StringSplitOptions.RemoveEmptyEntries),
                parsed.GetValue(rounds),
                parsed.GetValue(folder)!,
                Settle: true,
                parsed.GetValue(keep),
                Path.GetFullPath(parsed.GetValue(strongroom) ?? Repository.ServerExecutable),
                parsed.GetValue(json)),
            cancellationToken));
    }

    public static Command Index()
    {
        var records = Options.Standard("--records", "Chunks in the index; 41,943,040 are 10 TiB at 256 KiB", 10L << 22);
        var folder = Options.Folder;
        var keep = Options.Keep;
        return Options.Verb("index", "The dedup index at 10 TiB", [records, folder, keep], (parsed, cancellationToken) =>
            IndexBench.RunAsync(parsed.GetValue(records), parsed.GetValue(folder)!, parsed.GetValue(keep), cancellationToken));
    }

    public static Command Mark()
    {
        var recipe = new RecipeOptions();
        var folder = Options.Folder;
        var keep = Options.Keep;
        return Options.Verb("mark", "The mark of a collection of 10 TiB", [.. recipe.All, folder, keep], (parsed, cancellationToken) =>
            MarkBench.RunAsync(recipe.Read(parsed), parsed.GetValue(folder)!, parsed.GetValue(keep), cancellationToken));
    }

    public static Command Primitives()
    {
        var source = Options.Source;
        var folder = Options.Folder;
        return Options.Verb("primitives", "What one core does", [source, folder], (parsed, _) =>
        {
            PrimitivesBench.Run(parsed.GetValue(source)!, parsed.GetValue(folder)!);
            return Task.FromResult(0);
        });
    }

    public static Command Limits()
    {
        var image = new Argument<string>("IMG");
        var whole = new Option<bool>("--whole") { Description = "Compress and seal slots of 256 KiB as one, not in parts of 64 KiB" };
        var folder = Options.Folder;
        return Options.Verb("limits", "What a disk's backup, verification and restore cost at least", [image, whole, folder], async (parsed, cancellationToken) =>
        {
            using var limits = new DiskLimits(parsed.GetValue(folder)!, inParts: !parsed.GetValue(whole));
            await limits.RunAsync(parsed.GetRequiredValue(image), cancellationToken);
            limits.Print();
            return 0;
        });
    }

    public static Command Soak()
    {
        var folder = new Argument<string>("FOLDER");
        const string Description = "Backs up, deletes and collects until it is killed (kill -9 at any moment), and first proves, each time it starts, "
            + "that every snapshot that earlier runs were promised restores to the bytes it had";
        return Options.Verb("soak", Description, [folder], (parsed, _) => Bench.Soak.RunAsync(parsed.GetRequiredValue(folder)));
    }

    /// <summary>The synthetic vault of <see cref="Mark"/>.</summary>
    internal sealed class RecipeOptions
    {
        private readonly Option<int> disks = Options.Standard("--disks", "Disks of each recovery point", 10);
        private readonly Option<long> size = Options.Size("--size", "Size of each disk", 1L << 40);
        private readonly Option<int> snapshots = Options.Standard("--snapshots", "Recovery points", 30);
        private readonly Option<double> changedLeaves = Options.Standard("--changed-leaves", "Percent of the leaves (64 MiB each) that change between two", 5.0);
        private readonly Option<int> changedSlots = Options.Standard("--changed-slots", "Of the 256 slots of such a leaf", 16);

        public Option[] All => [disks, size, snapshots, changedLeaves, changedSlots];

        public VaultRecipe Read(ParseResult parsed) => new(
            parsed.GetValue(disks), parsed.GetValue(size), parsed.GetValue(snapshots), parsed.GetValue(changedLeaves), parsed.GetValue(changedSlots));

        public static string[] Format(VaultRecipe recipe) =>
        [
            "--disks", Text(recipe.DiskCount), "--size", Text(recipe.DiskLengthBytes), "--snapshots", Text(recipe.Snapshots),
            "--changed-leaves", Text(recipe.ChangedLeavesPercent), "--changed-slots", Text(recipe.ChangedSlotsPerLeaf),
        ];

        private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
    }
}
