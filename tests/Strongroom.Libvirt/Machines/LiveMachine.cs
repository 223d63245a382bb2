using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Hosts;

namespace Strongroom.Libvirt.Machines;

/// <summary>
/// A machine on a libvirtd of the test's own. It boots in about 10 seconds. What it is made of is read from libvirt, so a
/// restored machine is met by <see cref="FindAsync"/> in the same way as one that was made here.
/// </summary>
internal sealed partial class LiveMachine
{
    private static readonly TimeSpan StateLimit = TimeSpan.FromMinutes(10);

    private long? _writer;

    private LiveMachine(Libvirtd host, string name, Guid uuid, IReadOnlyList<MachineDisk> disks, string? serialFile) =>
        (Host, Name, Uuid, Disks, SerialFile, Agent) = (host, name, uuid, disks, serialFile, new(host, name));

    public Libvirtd Host { get; }

    public string Name { get; }

    public Guid Uuid { get; }

    public IReadOnlyList<MachineDisk> Disks { get; }

    /// <summary>Holds what the machine wrote to its serial port; null where that goes to no file.</summary>
    public string? SerialFile { get; }

    /// <summary>Talks to the guest agent.</summary>
    public GuestAgent Agent { get; }

    /// <summary>QEMU's process id; null while the machine is off.</summary>
    public int? QemuProcessId => Host.FindQemu(Name);

    /// <summary>What the serial port said so far.</summary>
    public string Serial
    {
        get
        {
            if (SerialFile is null || !File.Exists(SerialFile))
                return "";
            using var reader = new StreamReader(new FileStream(SerialFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            return reader.ReadToEnd();
        }
    }

    /// <summary>The newest record that the writer said to be durable, over all boots; 0 for none.</summary>
    public long LastDurableRecord =>
        DurableLine().Matches(Serial).Select(line => long.Parse(line.Groups[1].ValueSpan, CultureInfo.InvariantCulture)).LastOrDefault();

    /// <summary>Makes the disks of a machine and defines it; it stays off.</summary>
    public static async Task<LiveMachine> DefineAsync(Libvirtd host, LiveGuest guest, MachinePlan plan, CancellationToken cancellationToken)
    {
        var disks = await MachineDisks.CreateAsync(host, guest, plan, cancellationToken);
        var file = Path.Combine(host.Folders.Root, $"{plan.Name}.xml");
        await File.WriteAllTextAsync(file, plan.ToXml(disks, Path.Combine(host.Folders.Serial, $"{plan.Name}.log")).ToString(), cancellationToken);
        (await host.VirshAsync(["define", file], cancellationToken)).Succeeded();
        File.Delete(file);
        return await FindAsync(host, plan.Name, cancellationToken);
    }

    /// <summary>A machine that libvirt knows by this name.</summary>
    public static async Task<LiveMachine> FindAsync(Libvirtd host, string name, CancellationToken cancellationToken)
    {
        var xml = XElement.Parse((await host.VirshAsync(["dumpxml", name, "--inactive"], cancellationToken)).Succeeded().StandardOutput);
        var devices = xml.Element("devices")!;
        var disks = devices.Elements("disk").Where(disk => (string?)disk.Attribute("device") is null or "disk").Select(ToDisk);
        return new(host, name, (Guid)xml.Element("uuid")!, [.. disks], (string?)devices.Element("serial")?.Element("source")?.Attribute("path"));
    }

    /// <summary>Starts it, and waits until its guest agent answers.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        (await Host.VirshAsync(["start", Name], cancellationToken)).Succeeded();
        await Agent.WaitAsync(cancellationToken);
    }

    /// <summary>libvirt's word for its state: "running", "paused", "shut off".</summary>
    public async Task<string> StateAsync(CancellationToken cancellationToken) =>
        (await Host.VirshAsync(["domstate", Name], cancellationToken)).Succeeded().StandardOutput.Trim();

    /// <summary>Shuts it down by its guest agent, and waits until it is off.</summary>
    public async Task ShutDownAsync(CancellationToken cancellationToken)
    {
        (await Host.VirshAsync(["shutdown", Name, "--mode", "agent"], cancellationToken)).Succeeded();
        await WaitForStateAsync("shut off", cancellationToken);
    }

    /// <summary>Switches it off as by its power switch; QEMU ends in order.</summary>
    public async Task DestroyAsync(CancellationToken cancellationToken) => (await Host.VirshAsync(["destroy", Name], cancellationToken)).Succeeded();

    /// <summary>Ends QEMU by SIGKILL, and waits until libvirt knows.</summary>
    public async Task KillQemuAsync(CancellationToken cancellationToken)
    {
        Processes.Kill(QemuProcessId ?? throw new InvalidOperationException($"{Name} does not run."));
        await WaitForStateAsync("shut off", cancellationToken);
    }

    public async Task WaitForStateAsync(string state, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StateLimit);
        while (await StateAsync(limit.Token) != state)
            await Task.Delay(50, limit.Token);
    }

    /// <summary>Runs a shell's command line in the guest.</summary>
    public Task<CommandResult> RunAsync(string commandLine, CancellationToken cancellationToken) => Agent.RunAsync(commandLine, cancellationToken);

    /// <summary>Starts to write numbered records (Guests/root/bin/writer), each synced before the next, and waits for the first durable one.</summary>
    /// <param name="files">In the guest; a record is in all of them, in this order, before it counts as durable. None: /data/records.</param>
    public async Task StartWriterAsync(CancellationToken cancellationToken, params string[] files)
    {
        if (_writer is not null)
            throw new InvalidOperationException("The writer runs.");
        var before = LastDurableRecord;
        _writer = await Agent.StartAsync("/bin/writer", files is [] ? ["/data/records"] : files, cancellationToken);
        await WaitForRecordAsync(before + 1, cancellationToken);
    }

    /// <summary>Waits until the writer said that a record, or a later one, is durable.</summary>
    public async Task WaitForRecordAsync(long record, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StateLimit);
        while (LastDurableRecord < record)
            await Task.Delay(20, limit.Token);
    }

    /// <summary>Stops the writer between two records.</summary>
    /// <returns>The last record, which is durable.</returns>
    public async Task<long> StopWriterAsync(CancellationToken cancellationToken)
    {
        var writer = _writer ?? throw new InvalidOperationException("The writer does not run.");
        _writer = null;
        (await RunAsync($"kill {writer}", cancellationToken)).Succeeded();
        var said = (await Agent.WaitForEndAsync("writer", writer, cancellationToken)).Succeeded().StandardOutput;
        var last = long.Parse(said, CultureInfo.InvariantCulture);
        // The serial port is slower than the guest agent.
        await WaitForRecordAsync(last, cancellationToken);
        return last;
    }

    /// <summary>Says that the writer ended with its machine, so that it can be started again.</summary>
    public void ForgetWriter() => _writer = null;

    /// <summary>What is on the screen.</summary>
    public async Task<Screenshot> TakeScreenshotAsync(CancellationToken cancellationToken)
    {
        var file = Path.Combine(Host.Folders.Root, $"{Name}.png");
        (await Host.VirshAsync(["screenshot", Name, file], cancellationToken)).Succeeded();
        return Screenshot.Parse(await File.ReadAllBytesAsync(file, cancellationToken));
    }

    [GeneratedRegex(@"durable (\d+)\r?\n")]
    private static partial Regex DurableLine();

    private static MachineDisk ToDisk(XElement disk)
    {
        var isBlock = (string?)disk.Attribute("type") == "block";
        var isQcow2 = (string?)disk.Element("driver")?.Attribute("type") == "qcow2";
        var path = (string?)disk.Element("source")?.Attribute(isBlock ? "dev" : "file") ?? "";
        return new((string)disk.Element("target")!.Attribute("dev")!, path, (isQcow2, isBlock) switch
        {
            (true, false) => DiskKind.Qcow2,
            (true, true) => DiskKind.Qcow2Block,
            (false, false) => DiskKind.RawFile,
            (false, true) => DiskKind.RawBlock,
        });
    }
}
