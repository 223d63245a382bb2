using System.Text.Json.Nodes;
using Strongroom.Client;

namespace Strongroom.Demo;

/// <summary>The whole story of Strongroom, told through its REST API as any Azure client would tell it.</summary>
/// <remarks>
/// The steps, in order: sign in; make the machines; resource group; host; storage account; vault; policies; discovery;
/// protectable items; protection; first backup; its recovery points; change the disks; second backup; its recovery points;
/// restore both points; compare. What a disk was at a moment is known from a SHA-256 of the file, never from the server.
/// </remarks>
internal sealed class Story(
    DemoOptions options, IDemoServer server, ArmClient arm, StoryConsole console, TimeProvider time)
{
    /// <summary>How many steps <see cref="RunAsync"/> shows.</summary>
    public const int StepCount = 20;

    private const string GroupsVersion = "api-version=2021-04-01";
    private const string FabricVersion = "api-version=2026-11-01";
    private const string StorageVersion = "api-version=2022-09-01";
    private const string VaultsVersion = "api-version=2024-04-01";
    private const string PolicyName = "DefaultPolicy";
    private const double ChangedFraction = 0.02;
    private const ulong ChangeSeed = 20;

    private readonly List<StepMeasure> measures = [];

    private string Subscription => $"/subscriptions/{server.SubscriptionId}";

    /// <exception cref="DemoException">A step could not be done.</exception>
    /// <exception cref="ArmRequestException">The server refused or failed.</exception>
    public async Task<StoryOutcome> RunAsync(CancellationToken cancellationToken)
    {
        var (location, name) = await SignInAsync(cancellationToken);
        var folder = Path.Combine(server.MachinesFolder, name);
        var group = $"{Subscription}/resourceGroups/{name}";
        var machines = await MakeMachinesAsync(folder, cancellationToken);
        var first = await FingerprintAsync("Take the fingerprint of each disk", machines, cancellationToken);
        RequireSpace(folder, first.Values.Sum(disk => disk.DataBytes));

        await CreateGroupAsync(group, location, cancellationToken);
        await CreateHostAsync(group, location, folder, cancellationToken);
        var storage = await CreateStorageAccountAsync(group, location, name, cancellationToken);
        var vaultPath = $"{group}/providers/Microsoft.RecoveryServices/vaults/{name}";
        await CreateVaultAsync(vaultPath, location, cancellationToken);

        var vault = new VaultClient(arm, vaultPath, time);
        var policyId = await ReadPoliciesAsync(vault, cancellationToken);
        await DiscoverAsync(vault, cancellationToken);
        var protectable = await ListProtectableAsync(vault, group, machines, cancellationToken);
        var items = await ProtectAsync(vault, protectable, policyId, cancellationToken);

        var steps = new StoryBackups(vault, arm, console, time, measures);
        var limit = DemoTimeLimits.ForBytes(first.Values.Sum(disk => disk.LengthBytes));
        await steps.BackUpAsync("first backup", "Back up", items, limit, cancellationToken);
        var firstPoints = await steps.FindPointsAsync(items, [], cancellationToken);

        var changed = await ChangeAsync(machines, cancellationToken);
        var second = await FingerprintAsync("Take the fingerprints again", machines, cancellationToken);
        var stored = await steps.BackUpAsync("second backup", "Back up what changed", items, limit, cancellationToken);
        var secondPoints = await steps.FindPointsAsync(items, firstPoints, cancellationToken);

        var restores = new List<StoryBackups.RestoredMachine>();
        foreach (var (moment, points, disks) in new[] { ("first", firstPoints, first), ("second", secondPoints, second) })
        {
            var target = new StoryBackups.RestoreTarget(storage, location, limit);
            restores.AddRange(await steps.RestoreAsync(moment, items, points, machines, disks, target, cancellationToken));
        }

        var differences = await steps.CompareAsync(restores, cancellationToken);
        return new StoryOutcome(measures, machines.Count, restores.Sum(restore => restore.Disks.Count), changed, stored, differences);
    }

    private Task<(string Location, string Name)> SignInAsync(CancellationToken cancellationToken) =>
        console.StepAsync("Sign in", async _ =>
        {
            var subscription = (await arm.GetAsync($"{Subscription}?api-version=2022-12-01", cancellationToken)).RequireBody();
            var locations = await arm.ListAsync($"{Subscription}/locations?api-version=2022-12-01", cancellationToken);
            var location = (locations.Count > 0 ? locations[0] : null).RequireText("a location's name", "name");

            // A lasting data folder may hold the resources of earlier demos; they stay as they are.
            var (name, number) = ("demo", 1);
            while (await arm.ExistsAsync($"{Subscription}/resourceGroups/{name}?{GroupsVersion}", cancellationToken)
                || Directory.Exists(Path.Combine(server.MachinesFolder, name)))
            {
                name = $"demo{++number}";
            }

            return ((location, name), $"subscription \"{subscription.Text("displayName") ?? server.SubscriptionId}\", location {location}");
        });

    private Task<IReadOnlyList<DemoMachine>> MakeMachinesAsync(string folder, CancellationToken cancellationToken)
    {
        var sample = new SampleMachines(options, time);
        return console.StepAsync("Make two machines", async progress =>
        {
            Directory.CreateDirectory(folder);
            var bar = progress.AddBars(["disks"])[0];
            var machines = await sample.CreateAsync(folder, bar.Report, cancellationToken);
            var kind = sample.HasFileSystems ? "ext4 file systems" : "generated content, because mke2fs is not installed";
            var own = options.DiskFile is null ? "" : $"; web1 has a copy of {options.DiskFile}";
            return (machines, $"web1 with one disk, db1 with two; {kind}{own}");
        });
    }

    private Task<IReadOnlyDictionary<string, DiskFingerprint>> FingerprintAsync(
        string title, IReadOnlyList<DemoMachine> machines, CancellationToken cancellationToken) =>
        console.StepAsync<IReadOnlyDictionary<string, DiskFingerprint>>(title, async progress =>
        {
            var disks = new Dictionary<string, DiskFingerprint>();
            var files = machines.SelectMany(machine => machine.DiskFiles).ToList();
            foreach (var (file, bar) in files.Zip(progress.AddBars([.. files.Select(DiskLabel)])))
            {
                var length = new FileInfo(file).Length;
                disks[file] = await DiskFingerprint.OfAsync(file, done => bar.Report((double)done / length), cancellationToken);
            }

            var (data, size) = (disks.Values.Sum(disk => disk.DataBytes), disks.Values.Sum(disk => disk.LengthBytes));
            return (disks, $"{disks.Count} disks, {size / 1e6:0} MB, of these {data / 1e6:0} MB data");
        });

    private Task CreateGroupAsync(string group, string location, CancellationToken cancellationToken) =>
        console.StepAsync("Create a resource group", async _ =>
        {
            await arm.PutAsync($"{group}?{GroupsVersion}", new JsonObject { ["location"] = location }, cancellationToken);
            return group[(group.LastIndexOf('/') + 1)..];
        });

    private Task CreateHostAsync(string group, string location, string folder, CancellationToken cancellationToken) =>
        console.StepAsync("Register the folder as a host", async _ =>
        {
            var body = new JsonObject
            {
                ["location"] = location,
                ["properties"] = new JsonObject { ["kind"] = "Folder", ["path"] = folder },
            };
            await arm.PutAsync($"{group}/providers/Strongroom.Fabric/hosts/house?{FabricVersion}", body, cancellationToken);
            return folder;
        });

    private Task<string> CreateStorageAccountAsync(string group, string location, string name, CancellationToken cancellationToken) =>
        console.StepAsync("Create a storage account", async _ =>
        {
            var id = $"{group}/providers/Microsoft.Storage/storageAccounts/{name}restores";
            var body = new JsonObject
            {
                ["location"] = location,
                ["kind"] = "StorageV2",
                ["sku"] = new JsonObject { ["name"] = "Standard_LRS" },
                ["properties"] = new JsonObject(),
            };
            await arm.PutAsync($"{id}?{StorageVersion}", body, cancellationToken);
            return (id, $"{name}restores");
        });

    private Task CreateVaultAsync(string vaultPath, string location, CancellationToken cancellationToken) =>
        console.StepAsync("Create a Recovery Services vault", async _ =>
        {
            var body = new JsonObject
            {
                ["location"] = location,
                ["sku"] = new JsonObject { ["name"] = "RS0", ["tier"] = "Standard" },
                ["properties"] = new JsonObject { ["publicNetworkAccess"] = "Enabled" },
            };
            var started = await arm.PutAsync($"{vaultPath}?{VaultsVersion}", body, cancellationToken);
            if (started.OperationUrl is not null)
                await arm.FollowOperationAsync(started, cancellationToken);
            var vault = (await arm.GetAsync($"{vaultPath}?{VaultsVersion}", cancellationToken)).RequireBody();
            var state = vault.RequireText("the vault's state", "properties", "provisioningState");
            return state == "Succeeded" ? vault.Text("name") ?? vaultPath : throw new DemoException($"The new vault is in state {state}.");
        });

    private Task<string> ReadPoliciesAsync(VaultClient vault, CancellationToken cancellationToken) =>
        console.StepAsync("List the policies and read one", async _ =>
        {
            var names = await vault.ListPoliciesAsync(cancellationToken);
            if (!names.Contains(PolicyName))
                throw new DemoException($"A new vault has no {PolicyName}; it has: {string.Join(", ", names)}.");
            var policy = await vault.GetPolicyAsync(PolicyName, cancellationToken);
            return (policy.RequireText("the policy's id", "id"), string.Join(", ", names.Order(StringComparer.Ordinal)));
        });

    private Task DiscoverAsync(VaultClient vault, CancellationToken cancellationToken) =>
        console.StepAsync("Discover machines", async _ =>
        {
            await vault.DiscoverAsync(cancellationToken);
            return "refreshContainers, tracked to 204";
        });

    private Task<IReadOnlyList<JsonNode>> ListProtectableAsync(
        VaultClient vault, string group, IReadOnlyList<DemoMachine> machines, CancellationToken cancellationToken) =>
        console.StepAsync<IReadOnlyList<JsonNode>>("List what can be protected", async _ =>
        {
            var all = await vault.ListProtectableAsync(cancellationToken);
            var ours = machines.Select(machine =>
            {
                var id = $"{group}/providers/Microsoft.Compute/virtualMachines/{machine.Name}";
                return all.FirstOrDefault(item => id.Equals(item.Text("properties", "virtualMachineId"), StringComparison.OrdinalIgnoreCase))
                    ?? throw new DemoException($"The vault did not discover the machine {machine.Name}.");
            }).ToList();
            return (ours, string.Join(", ", ours.Select(item => item.Text("name"))));
        });

    private Task<IReadOnlyList<ProtectedMachine>> ProtectAsync(
        VaultClient vault, IReadOnlyList<JsonNode> protectable, string policyId, CancellationToken cancellationToken) =>
        console.StepAsync<IReadOnlyList<ProtectedMachine>>("Enable protection", async _ =>
        {
            var items = new List<ProtectedMachine>();
            foreach (var item in protectable)
                items.Add(await vault.ProtectAsync(item, policyId, cancellationToken));
            return (items, $"{items.Count} machines under {PolicyName}");
        });

    private Task<long> ChangeAsync(IReadOnlyList<DemoMachine> machines, CancellationToken cancellationToken) =>
        console.StepAsync("Change about 2 % of each disk's data", async _ =>
        {
            var content = new SampleContent(ChangeSeed);
            var (extents, bytes) = (0, 0L);
            foreach (var file in machines.SelectMany(machine => machine.DiskFiles))
            {
                var change = await DiskChanger.ChangeAsync(file, ChangedFraction, content, cancellationToken);
                extents += change.ExtentCount;
                bytes += change.ChangedBytes;
            }

            return (bytes, $"{bytes / 1e6:0.0} MB in {extents} scattered extents of {DiskChanger.ExtentBytes / 1024} KiB");
        });

    /// <summary>Refuses to start what would fill the disk: the store, two restores and some room.</summary>
    private static void RequireSpace(string folder, long dataBytes)
    {
        var needed = (dataBytes * 7 / 2) + (64 * 1024 * 1024);
        var free = new DriveInfo(folder).AvailableFreeSpace;
        if (free < needed)
        {
            throw new DemoException(
                $"{folder} has {free / 1e6:0} MB free and the demo needs about {needed / 1e6:0} MB more; name a folder with more room with --data.");
        }
    }

    internal static string DiskLabel(string file) => $"{Path.GetFileName(Path.GetDirectoryName(file))}/{Path.GetFileName(file)}";
}
