using System.Text.RegularExpressions;

namespace Strongroom.Workloads.FileShares.Smb;

/// <summary>The file servers that the operator lets the API reach over SMB (<c>--allow-smb</c>): nobody else's word makes the server connect anywhere. Immutable.</summary>
public sealed partial class AllowedSmbServers
{
    private readonly HashSet<string> _hosts;

    /// <param name="hosts">Names or IPv4 addresses; none: no file server of kind Smb is accepted.</param>
    /// <exception cref="ArgumentException">One is neither.</exception>
    public AllowedSmbServers(IEnumerable<string> hosts)
    {
        _hosts = new(StringComparer.OrdinalIgnoreCase);
        foreach (var host in hosts)
        {
            if (!IsHost().IsMatch(host)) throw new ArgumentException($"--allow-smb takes the name or IPv4 address of a file server, such as nas1.example, not '{host}'.");
            _hosts.Add(host);
        }
    }

    /// <summary>Whether it was named, without regard to case.</summary>
    public bool Allows(string host) => _hosts.Contains(host);

    /// <summary>How a host is named where its login is kept: <c>smb://nas1.example</c>.</summary>
    public static string UriOf(string host) => $"smb://{host.ToLowerInvariant()}";

    [GeneratedRegex(@"\A[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex IsHost();
}
