using System.Runtime.InteropServices;

namespace Strongroom.Hosting;

/// <summary>The mode of files that this process makes.</summary>
internal static partial class ProcessFiles
{
    private const uint OwnerOnly = 0b000_111_111;

    /// <summary>From here on, what is made without saying a mode is for its owner alone, whatever mask the process was started with (umask(2)).</summary>
    public static void KeepPrivate() => _ = SetMask(OwnerOnly);

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint SetMask(uint mask);
}
