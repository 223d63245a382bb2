using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Strongroom.Clients.Guests;

/// <summary>A disk of a guest, beside its root.</summary>
/// <param name="Path">A raw file.</param>
/// <param name="KeepsChanges">Whether what the guest writes goes to the file; otherwise it is gone with the guest.</param>
internal sealed record GuestDisk(string Path, bool KeepsChanges = false);

/// <summary>
/// A virtual machine with Debian, by QEMU's emulation (never KVM, which not every machine of ours has). It reaches this
/// machine at 10.0.2.2, and ends with the test: its agent's port is a socket of ours. Commands run one at a time.
/// </summary>
internal sealed class Guest : IAsyncDisposable
{
    /// <summary>What this machine is called in the guest.</summary>
    public const string Host = "10.0.2.2";

    private static readonly TimeSpan BootLimit = TimeSpan.FromMinutes(10);

    private readonly Process _process;
    private readonly StreamReader _answers;
    private readonly Stream _agent;
    private readonly string _consoleFile;
    private readonly TempFolder _folder;

    private Guest(Process process, Stream agent, string consoleFile, TempFolder folder)
    {
        (_process, _agent, _consoleFile, _folder) = (process, agent, consoleFile, folder);
        _answers = new(agent, Encoding.UTF8);
    }

    /// <summary>Starts one and waits until its agent answers. The disks are vdb, vdc and so on.</summary>
    public static async Task<Guest> StartAsync(GuestImage image, IReadOnlyList<GuestDisk> disks, CancellationToken cancellationToken)
    {
        var folder = new TempFolder();
        var console = folder.Combine("console.log");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(folder.Combine("agent.sock")));
        listener.Listen();
        string[] arguments =
        [
            "-accel", "tcg,thread=multi", "-machine", "q35", "-smp", "2", "-m", "768", "-nodefaults", "-display", "none", "-no-reboot",
            "-kernel", image.Kernel, "-initrd", image.Modules, "-append", "console=ttyS0 quiet panic=-1 mitigations=off", "-serial", $"file:{console}",
            "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net",
            "-device", "virtio-serial-pci", "-chardev", $"socket,id=agent,path={folder.Combine("agent.sock")}", "-device", "virtserialport,chardev=agent,name=test.agent",
            .. ((IEnumerable<GuestDisk>)[new(image.Root), .. disks]).SelectMany(disk => (string[])["-drive", $"if=virtio,format=raw,file={disk.Path},snapshot={(disk.KeepsChanges ? "off" : "on")}"]),
        ];
        var process = Process.Start(new ProcessStartInfo("qemu-system-x86_64", arguments) { RedirectStandardError = true })!;
        Guest? guest = null;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(BootLimit);
            _ = process.WaitForExitAsync(CancellationToken.None).ContinueWith(_ => listener.Dispose(), TaskScheduler.Default);
            var agent = await listener.AcceptAsync(limit.Token);
            guest = new(process, new NetworkStream(agent, ownsSocket: true), console, folder);
            await guest._answers.ReadLineAsync(limit.Token);
            return guest;
        }
        catch (Exception failure) when (failure is OperationCanceledException or SocketException or IOException)
        {
            var said = File.Exists(console) ? await File.ReadAllTextAsync(console, CancellationToken.None) : "";
            process.Kill();
            said += await process.StandardError.ReadToEndAsync(CancellationToken.None);
            if (guest is not null) await guest.DisposeAsync();
            else folder.Dispose();
            throw new InvalidOperationException($"The guest did not start.\n{said}", failure);
        }
    }

    /// <summary>Runs a shell's command line.</summary>
    public async Task<CommandResult> RunAsync(string commandLine, CancellationToken cancellationToken, string input = "", int timeoutSeconds = 180)
    {
        var request = new JsonObject { ["command"] = new JsonArray("sh", "-c", commandLine), ["input"] = input, ["timeoutSeconds"] = timeoutSeconds };
        await _agent.WriteAsync(Encoding.UTF8.GetBytes(request.ToJsonString() + "\n"), cancellationToken);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(timeoutSeconds + 60));
        var line = await _answers.ReadLineAsync(limit.Token) ?? throw new InvalidOperationException($"The guest ended.\n{await File.ReadAllTextAsync(_consoleFile, cancellationToken)}");
        var answer = JsonNode.Parse(line)!;
        return new(commandLine, (int)answer["exitCode"]!, (string)answer["output"]!, (string)answer["error"]!);
    }

    /// <summary>Carries a text into a file of the guest.</summary>
    public async Task PutAsync(string path, string text, CancellationToken cancellationToken) =>
        (await RunAsync($"cat >{path}", cancellationToken, text)).Succeeded();

    public async ValueTask DisposeAsync()
    {
        _answers.Dispose();
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }
}
