using System.Diagnostics;

namespace Strongroom.Libvirt.Hosts;

/// <summary>
/// A mount namespace with folders of ours in the place of some of the machine's, a process namespace, and one for the machine's name. The kernel ends
/// all that runs in it with its first process, which waits for our end of a pipe: also when this process is killed.
/// </summary>
/// <remarks>
/// libvirt waits for the processes that it ends to be gone. The first process is a shell, which reaps them at once; the
/// first process of a container does it late or never.
/// </remarks>
internal sealed class Namespaces : IAsyncDisposable
{
    // Pairs of our folder and the one it is put over.
    private const string FirstProcess =
        """
        while [ $# -gt 0 ]; do mount --bind "$1" "$2" || exit 1; shift 2; done
        echo ready
        read -r line
        """;

    private readonly Process _holder;
    private readonly int _first;
    private readonly string _name;

    private Namespaces(Process holder, int first, string name) => (_holder, _first, _name) = (holder, first, name);

    /// <summary>Makes them; skips the test where this machine does not allow it.</summary>
    /// <param name="folders">Our folders, and the folders of the machine that they are put over.</param>
    public static async Task<Namespaces> CreateAsync(IEnumerable<(string Ours, string Theirs)> folders, CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess)
            Peer.Unsupported("A libvirtd of one's own needs root.");
        string[] arguments = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts", "bash", "-c", FirstProcess, "bash",
            .. folders.SelectMany(folder => (string[])[folder.Ours, folder.Theirs])];
        var holder = Process.Start(new ProcessStartInfo(Peer.RequireOrSkip("unshare", "util-linux"), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        if (await holder.StandardOutput.ReadLineAsync(cancellationToken) != "ready")
            Peer.Unsupported($"This machine gives no namespaces: {await holder.StandardError.ReadToEndAsync(cancellationToken)}");
        var first = Processes.ChildrenOf(holder.Id).Single();
        return new(holder, first, Processes.NamespaceOf(first)!);
    }

    /// <summary>What runs in them, beside the first process.</summary>
    public IReadOnlyList<int> ProcessIds => [.. Processes.All.Where(id => id != _first && Processes.NamespaceOf(id) == _name)];

    /// <summary>Starts a program in them, as a child of the returned process, which ends with it.</summary>
    public Process Start(string program, IEnumerable<string> arguments) => Process.Start(new ProcessStartInfo(
        Peer.RequireOrSkip("nsenter", "util-linux"), [$"--mount=/proc/{_first}/ns/mnt", $"--pid=/proc/{_first}/ns/pid", $"--uts=/proc/{_first}/ns/uts", program, .. arguments])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    /// <summary>Kills all that is in them. What was mounted is gone with the last process.</summary>
    public async ValueTask DisposeAsync()
    {
        Processes.Kill(_first);
        await _holder.WaitForExitAsync();
        _holder.Dispose();
        while (ProcessIds.Count > 0)
            await Task.Delay(20);
    }
}
