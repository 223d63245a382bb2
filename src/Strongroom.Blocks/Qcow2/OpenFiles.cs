using Strongroom.Blocks.Raw;

namespace Strongroom.Blocks.Qcow2;

/// <summary>Looks at what a child program has really opened (proc(5), /proc/PID/fd).</summary>
internal static class OpenFiles
{
    private const int CloseOnExecFlag = 0x80000;

    /// <summary>Requires that everything with content that the program holds open is a file of the chain.</summary>
    /// <exception cref="InvalidDataException">It holds another one: the image's header was rewritten after it had been checked.</exception>
    public static void RequireOnly(int processId, Qcow2Chain chain)
    {
        var allowed = chain.Layers.Select(layer => Place(layer.File.Identity)).ToHashSet();
        foreach (var descriptor in Directory.EnumerateFileSystemEntries($"/proc/{processId}/fd"))
        {
            if (FileIdentity.OfContentAt(descriptor) is { } open && !allowed.Contains(Place(open)) && !IsInherited(Path.GetFileName(descriptor), open))
                throw new InvalidDataException($"'{chain.Layers[0].File.Path}' made qemu-nbd open a file that is not allowed; the image was changed while it was opened.");
        }
    }

    /// <summary>Descriptors that whoever started this process left open, without close-on-exec, go on to every child.</summary>
    private static bool IsInherited(string number, FileIdentity open)
    {
        if (FileIdentity.OfContentAt($"/proc/self/fd/{number}") is not { } own || Place(own) != Place(open))
            return false;
        try
        {
            var flags = File.ReadLines($"/proc/self/fdinfo/{number}").First(line => line.StartsWith("flags:", StringComparison.Ordinal));
            return (Convert.ToInt64(flags["flags:".Length..].Trim(), fromBase: 8) & CloseOnExecFlag) == 0;
        }
        catch (IOException)
        {
            return false; // closed meanwhile: another file had the number
        }
    }

    private static (ulong Device, ulong Inode) Place(FileIdentity identity) => (identity.Device, identity.Inode);
}
