using System.Globalization;

namespace Strongroom.Workloads.VirtualMachines.Files;

/// <summary>A user that one reader has for itself, as long as this is not disposed: nobody else of this machine's servers takes it.</summary>
/// <remarks>
/// Numbers that no distribution gives to anybody: beyond those of systemd's dynamic users (61184 to 65519), below nobody (65534), and far below
/// subordinate users (from 100000 on). Source: systemd's UIDS-GIDS; Debian Policy 9.2.2 (65000 to 65533 are reserved).
/// </remarks>
internal sealed class ReaderUser : IDisposable
{
    /// <summary>Who makes the appliance, and never reads what a machine wrote.</summary>
    public const uint Maker = 65520;

    public const uint First = Maker + 1, Last = 65533;

    private readonly FileStream _lock;

    private ReaderUser(uint id, FileStream file) => (Id, _lock) = (id, file);

    public uint Id { get; }

    /// <summary>A user that nobody has; null where all are taken.</summary>
    /// <param name="folder">Where the locks are, for all servers of the machine. The kernel drops a lock with its server.</param>
    public static ReaderUser? TryTake(string folder)
    {
        for (var id = First; id <= Last; id++)
        {
            try { return new(id, new FileStream(Path.Combine(folder, id.ToString(CultureInfo.InvariantCulture)), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None)); }
            catch (IOException) { /* Taken. */ }
        }

        return null;
    }

    /// <summary>Whether this is one of them.</summary>
    public static bool Is(uint id) => id is >= First and <= Last;

    public void Dispose() => _lock.Dispose();
}
