using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Folder;

namespace Strongroom.Workloads.Tests.VirtualMachines.Folder;

/// <summary>A fabric over a temporary folder: <c>hosts/</c> is allowed and the host's path, <c>outside/</c> is not allowed.</summary>
public sealed class FabricFixture : IFolderHosts, ILogger<FolderFabric>, IDisposable
{
    public static MachineSnapshotRequest AnySnapshot { get; } = new(Guid.NewGuid(), new(Guid.NewGuid(), 1)) { Selects = static _ => true };

    public const string Subscription = "11111111-2222-3333-4444-555555555555";
    public const string HostId = $"/subscriptions/{Subscription}/resourceGroups/lab/providers/Strongroom.Fabric/hosts/shelf";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("workloads-test-");

    public FabricFixture()
    {
        Directory.CreateDirectory(Hosts);
        Directory.CreateDirectory(Outside);
        Roots = new AllowedRoots([Hosts]);
        HostList.Add(new FolderHost(HostId, Subscription, "lab", "home", Hosts));
        Fabric = new FolderFabric(this, Roots, this);
    }

    public string Hosts => Path.Combine(_folder.FullName, "hosts");

    public string Outside => Path.Combine(_folder.FullName, "outside");

    public AllowedRoots Roots { get; }

    public FolderFabric Fabric { get; }

    public List<FolderHost> HostList { get; } = [];

    public List<string> Warnings { get; } = [];

    public Task<IReadOnlyList<VirtualMachine>> ListMachinesAsync() => Fabric.ListAsync(Subscription, null, CancellationToken.None);

    public async Task<VirtualMachine> OnlyMachineAsync() => Assert.Single(await ListMachinesAsync());

    public Task<IReadOnlyList<FolderHost>> ListAsync(string subscriptionId, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<FolderHost>>([.. HostList.Where(host => host.SubscriptionId == subscriptionId)]);

    /// <summary>Writes a file of a machine; the path is relative to the host's.</summary>
    public string Write(string path, byte[] content)
    {
        var full = Path.Combine(Hosts, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllBytes(full, content);
        return full;
    }

    public string Write(string path, string content) => Write(path, System.Text.Encoding.UTF8.GetBytes(content));

    public static byte[] Noise(int lengthBytes, int seed)
    {
        var bytes = new byte[lengthBytes];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {output}{await error}");
    }

    public static void RequireQemu()
    {
        if (!File.Exists("/usr/bin/qemu-nbd") || !File.Exists("/usr/bin/qemu-img"))
            Assert.Skip("qemu-nbd is not installed (Debian package qemu-utils)");
    }

    public void Dispose() => _folder.Delete(recursive: true);

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Warning)
            Warnings.Add(formatter(state, exception));
    }
}
