using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Strongroom.Workloads.FileShares;
using Strongroom.Workloads.FileShares.Btrfs;

namespace Strongroom.Workloads.Tests.FileShares;

/// <summary>A server that has not all rights of root, as in a container: Btrfs lets it make snapshots, and not remove them.</summary>
public sealed partial class WeakServerTests
{
    private const int CapabilityOfAdministration = 21; // CAP_SYS_ADMIN
    private const uint CapabilityVersion = 0x20080522;

    [Theory]
    [InlineData("rw", false)]
    [InlineData("user_subvol_rm_allowed", true)]
    public void A_snapshot_is_made_only_where_it_can_be_removed(string option, bool isPossible)
    {
        using var mount = Mount.OfImage("btrfs", option: option);
        var path = Path.Combine(mount.Path, "share");
        Mount.Run("btrfs", "-q", "subvolume", "create", path);
        Mount.Run("btrfs", "-q", "subvolume", "create", Path.Combine(path, "within"));
        File.WriteAllText(Path.Combine(path, "within", "a.txt"), "a");
        RunWeak(() =>
        {
            using var folder = ShareFolderCalls.Open(path);
            if (!isPossible)
            {
                Assert.Contains("CAP_SYS_ADMIN", Assert.Throws<SnapshotImpossibleException>(() => SubvolumeSnapshot.Take(folder, path, "name")).Message, StringComparison.Ordinal);
            }
            else
            {
                using var snapshot = SubvolumeSnapshot.Take(folder, path, "name");
                Assert.Equal("a", File.ReadAllText(Path.Combine(path, SubvolumeSnapshot.FolderName, "name", "within", "a.txt")));
            }
        });
        Assert.Equal(["within"], Directory.EnumerateFileSystemEntries(path).Select(Path.GetFileName));
    }

    /// <summary>Runs on a thread that has given the right up: capabilities are each thread's own.</summary>
    private static void RunWeak(Action act)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                uint[] header = [CapabilityVersion, 0];
                // Effective, permitted and inheritable, once for the lower and once for the upper 32.
                var sets = new uint[6];
                Assert.Equal(0, GetCapabilities(header, sets));
                sets[0] &= ~(1u << CapabilityOfAdministration);
                Assert.Equal(0, SetCapabilities(header, sets));
                act();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }

    [LibraryImport("libc", EntryPoint = "capget")]
    private static partial int GetCapabilities([In] uint[] header, [Out] uint[] sets);

    [LibraryImport("libc", EntryPoint = "capset")]
    private static partial int SetCapabilities([In] uint[] header, [In] uint[] sets);
}
