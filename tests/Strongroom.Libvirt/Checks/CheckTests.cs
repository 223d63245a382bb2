using System.Text;

namespace Strongroom.Libvirt.Checks;

/// <summary>The checks see the damage that they are there for.</summary>
public sealed class CheckTests
{
    private static readonly byte[] Three = Encoding.ASCII.GetBytes(Records.Text(1) + Records.Text(2) + Records.Text(3));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void A_record_is_as_the_writer_writes_it()
    {
        Assert.Equal(Records.Size, Records.Text(1).Length);
        Assert.Equal($"0000000005 17156075 {new string('.', 43)}\n", Records.Text(5));
    }

    [Fact]
    public void Records_that_follow_each_other_are_counted()
    {
        Assert.Equal(new(0, null), Records.Read([]));
        Assert.Equal(new(3, null), Records.Read(Three));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(70)]
    [InlineData(191)]
    public void A_changed_byte_ends_the_prefix(int position)
    {
        var damaged = Three.ToArray();
        damaged[position] ^= 1;
        var records = Records.Read(damaged);
        Assert.Equal(position / Records.Size, records.Count);
        Assert.NotNull(records.Damage);
    }

    [Fact]
    public void A_missing_record_and_half_a_record_end_the_prefix()
    {
        Assert.Equal(1, Records.Read([.. Three[..64], .. Three[128..]]).Count);
        Assert.NotNull(Records.Read([.. Three[..64], .. Three[128..]]).Damage);
        Assert.Equal(2, Records.Read(Three.AsSpan()[..150]).Count);
        Assert.NotNull(Records.Read(Three.AsSpan()[..150]).Damage);
    }

    [Fact]
    public async Task A_file_system_that_lost_its_inodes_is_not_clean()
    {
        using var folder = new TempFolder();
        var image = folder.Combine("disk.raw");
        Directory.CreateDirectory(folder.Combine("files"));
        await File.WriteAllBytesAsync(folder.Combine("files", "records"), Three, Cancellation);
        (await CommandResult.RunAsync(Peer.RequireOrSkip("mke2fs", "e2fsprogs"), ["-q", "-t", "ext4", "-d", folder.Combine("files"), image, "16M"], null, Cancellation)).Succeeded();
        var whole = await DiskCheck.RunAsync(image, Cancellation);
        Assert.True(whole is { NeededRecovery: false, IsClean: true } && whole.Records == new Records(3, null), whole.ToString());

        (await CommandResult.RunAsync(Peer.RequireOrSkip("debugfs", "e2fsprogs"), ["-w", "-R", "clri /records", image], null, Cancellation)).Succeeded();
        Assert.False((await DiskCheck.RunAsync(image, Cancellation)).IsClean);
    }
}
