using System.Diagnostics.CodeAnalysis;

namespace Strongroom.Clients.Peers;

/// <summary>The programs that a measurement needs. A missing one is an error.</summary>
internal static class Peer
{
    /// <summary>The full path of <paramref name="tool"/>, looked up in PATH and the system's sbin folder.</summary>
    /// <exception cref="InvalidOperationException">It is not installed.</exception>
    public static string RequireOrSkip(string tool, string package)
    {
        string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries), "/usr/sbin"];
        var path = Array.Find([.. folders.Select(folder => Path.Combine(folder, tool))], File.Exists);
        return path ?? throw new InvalidOperationException($"{tool} is not installed (Debian: {package}).");
    }

    [DoesNotReturn]
    public static void Missing(string reason) => throw new InvalidOperationException(reason);

    [DoesNotReturn]
    public static void Unsupported(string reason) => throw new InvalidOperationException(reason);
}
