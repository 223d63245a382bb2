using Strongroom.Workloads.FileShares;

namespace Strongroom.Workloads.Tests.FileShares;

public sealed class MountTableTests
{
    private static readonly string[] Table =
    [
        "1 0 8:1 / / rw,relatime - ext4 /dev/sda1 rw",
        "2 1 0:30 / /srv rw,relatime shared:1 - btrfs /dev/sdb rw",
        "3 2 0:31 / /srv/shares/a\\040b rw - xfs /dev/sdc rw",
        "4 2 0:32 / /srv/shares2 rw - tmpfs tmpfs rw",
        "5 2 0:33 / /srv/shares/deep/er rw shared:2 master:3 - nfs4 server:/x rw",
        "6 5 0:34 / /srv/shares/deep/er rw - fuse.sshfs server:/x rw",
        "cut off",
    ];

    [Fact]
    public void Mounts_below_a_folder_are_told_from_it()
    {
        Assert.Equal(["a b", "deep/er"], MountTable.Below("/srv/shares", Table));
        Assert.Empty(MountTable.Below("/srv/shares/a b", Table));
        Assert.Equal(4, MountTable.Below("/", Table).Count);
    }

    [Theory]
    [InlineData("/srv/shares", "btrfs")]
    [InlineData("/srv/shares/a b/c", "xfs")]
    [InlineData("/srv/shares/a", "btrfs")]
    [InlineData("/srv/shares/deep/er", "fuse.sshfs")]
    [InlineData("/var", "ext4")]
    public void The_mount_that_is_nearest_and_last_tells_the_kind(string path, string kind) => Assert.Equal(kind, MountTable.KindOf(path, Table));

    [Fact]
    public void This_machine_s_table_is_read() => Assert.Equal("proc", MountTable.KindOf("/proc"));
}
