using System.Text.RegularExpressions;

namespace Strongroom.Workloads.VirtualMachines.Libvirt;

/// <summary>What the operator lets the API reach through libvirt: the hosts' URIs (<c>--allow-libvirt</c>) and the folders for scratch space on them (<c>--libvirt-scratch</c>).</summary>
/// <remarks>
/// <para>Thread-safe. A URI's query can name commands, keys and sockets, so it is the operator's alone: a resource names a host by the URI without
/// its query, to the letter, and what is opened is the operator's whole URI.</para>
/// <para>A scratch folder is judged as text alone, since it is a path on the host, which may be another machine.</para>
/// </remarks>
public sealed partial class AllowedLibvirtHosts
{
    /// <summary>The scratch folder where the operator names none.</summary>
    public const string StandardScratchRoot = "/var/lib/libvirt/strongroom";

    /// <summary>The longest scratch path: a socket's has 107 bytes, and ours are named in up to 37 of them (<see cref="Live.TraceNames.Socket"/>), the slash before included.</summary>
    public const int LongestScratchPath = 70;

    private readonly Dictionary<string, string> _uris;
    private readonly string[] _scratchRoots;

    /// <param name="uris">Whole URIs; none: no host of kind Libvirt is accepted.</param>
    /// <param name="scratchRoots">Absolute paths; none: <see cref="StandardScratchRoot"/>.</param>
    /// <exception cref="ArgumentException">One is not well-formed, or two differ in nothing but their queries.</exception>
    public AllowedLibvirtHosts(IEnumerable<string> uris, IEnumerable<string> scratchRoots)
    {
        _uris = new(StringComparer.Ordinal);
        foreach (var uri in uris)
        {
            if (!IsUri().IsMatch(uri)) throw new ArgumentException($"--allow-libvirt takes a URI of libvirt's, such as qemu:///system or qemu+ssh://backup@host/system?keyfile=/etc/strongroom/key, not '{uri}'.");
            if (!_uris.TryAdd(WithoutQuery(uri), uri)) throw new ArgumentException($"--allow-libvirt names '{WithoutQuery(uri)}' twice: resources name hosts without what follows the question mark.");
        }

        _scratchRoots = [.. scratchRoots.Select(root => root.TrimEnd('/'))];
        if (_scratchRoots.FirstOrDefault(root => !IsPlainPath(root)) is { } bad) throw new ArgumentException($"--libvirt-scratch takes an absolute path without '..', other than '/', not '{bad}'.");
        if (_scratchRoots.Length == 0) _scratchRoots = [StandardScratchRoot];
    }

    /// <summary>The scratch folder of hosts that name none.</summary>
    public string DefaultScratchPath => _scratchRoots[0];

    /// <summary>The operator's whole URI of a host that a resource names, or null when it is not allowed.</summary>
    public string? FindUri(string uri) => _uris.GetValueOrDefault(uri);

    /// <summary>Whether a path is a scratch root or lies below one.</summary>
    public bool AllowsScratch(string path) =>
        IsPlainPath(path) && _scratchRoots.Any(root => path == root || (path.StartsWith(root, StringComparison.Ordinal) && path[root.Length] == '/'));

    private static string WithoutQuery(string uri) => uri.Split('?', 2)[0];

    // As text: what is one folder to us must not be another one to the host.
    private static bool IsPlainPath(string path) =>
        path.Length is > 1 and <= LongestScratchPath && path[0] == '/' && path[1..].Split('/').All(part => part is not ("" or "." or "..") && IsName().IsMatch(part));

    [GeneratedRegex(@"\Aqemu(\+[a-z0-9]+)?://[A-Za-z0-9.:@_\[\]-]*/[A-Za-z0-9._/-]+(\?[!-~]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex IsUri();

    [GeneratedRegex(@"\A[A-Za-z0-9._+@-]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex IsName();
}
