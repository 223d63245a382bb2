using System.Buffers.Binary;
using System.IO.Pipelines;
using Strongroom.Backup.FileRecovery.Browsing;
using Strongroom.Workloads.VirtualMachines.Files;

namespace Strongroom.Workloads.Tests.VirtualMachines.Files;

/// <summary>The process that reads file systems may have been taken over by what it read: nothing that it says is believed.</summary>
public sealed class ReaderProtocolTests
{
    [Fact]
    public async Task An_answer_that_is_too_long_is_not_read()
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, ReaderFrames.MaxBytes + 2);
        await Assert.ThrowsAsync<InvalidDataException>(() => AskAsync([.. length, 0]));
        BinaryPrimitives.WriteInt32LittleEndian(length, -5);
        await Assert.ThrowsAsync<InvalidDataException>(() => AskAsync([.. length, 0]));
    }

    [Fact]
    public async Task An_answer_that_ends_early_is_none()
    {
        var whole = new FrameWriter(0).Put("abc"u8).End().ToArray();
        for (var length = 0; length < whole.Length; length++) await Assert.ThrowsAsync<EndOfStreamException>(() => AskAsync(whole[..length]));
        Assert.Equal(7, (await AskAsync(whole)).Length);
    }

    [Fact]
    public async Task A_refusal_is_told_without_what_could_confuse()
    {
        var refused = await Assert.ThrowsAsync<FileBrowsingException>(() => AskAsync(new FrameWriter(1 + (byte)FileBrowsingFault.Damaged).Put("bad\n\u001b[2Jsector"u8).End().ToArray()));
        Assert.Equal((FileBrowsingFault.Damaged, "bad  [2Jsector"), (refused.Fault, refused.Message));
        await Assert.ThrowsAsync<InvalidDataException>(() => AskAsync(new FrameWriter(200).Put("x"u8).End().ToArray()));
        await Assert.ThrowsAsync<InvalidDataException>(() => AskAsync(new FrameWriter(1).Put("x"u8).Put(0).End().ToArray()));
    }

    [Theory]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a\0b")]
    public void A_name_that_could_lead_elsewhere_is_no_name(string name)
    {
        Assert.Equal("good", Assert.Single(ReaderAnswers.Page(Page(1, "good"), 10).Entries).Text);
        Assert.Throws<InvalidDataException>(() => ReaderAnswers.Page(Page(1, name), 10));
    }

    [Fact]
    public void Counts_are_bounded_by_what_was_asked_for()
    {
        Assert.Throws<InvalidDataException>(() => ReaderAnswers.Page(Page(3, "a", "b", "c"), 2));
        Assert.Throws<InvalidDataException>(() => ReaderAnswers.Page(Page(2, "a"), 2));
        Assert.Throws<InvalidDataException>(() => ReaderAnswers.Page(Page(0, "a"), 2));
        Assert.Throws<InvalidDataException>(() => ReaderAnswers.Page(Page(-1), 2));
        Assert.Throws<InvalidDataException>(() => ReaderAnswers.Volumes(new FrameWriter(0).Put(int.MaxValue).End().Span[5..]));
    }

    [Fact]
    public void Whatever_bytes_come_are_entries_or_nonsense()
    {
        var random = new Random(11);
        var page = Page(3, "a", "b", "c").ToArray();
        for (var i = 0; i < 20_000; i++)
        {
            var mutated = page[..random.Next(page.Length + 1)];
            for (var n = random.Next(4); n > 0 && mutated.Length > 0; n--) mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            try
            {
                var read = ReaderAnswers.Page(mutated, 3);
                Assert.All(read.Entries, e => Assert.True(FilePath.IsName(e.Name.Span) && e.SizeBytes >= 0 && e.ModifiedAt is null or { Year: > 0 }));
            }
            catch (InvalidDataException)
            {
                // What it should be.
            }
        }
    }

    [Fact]
    public void Volumes_have_safe_names_that_are_always_the_same()
    {
        (string, string, string?, long)[] found =
        [
            ("/dev/vg-1/root", "xfs", "x", 5), ("/dev/sdb", "btrfs", null, 4), ("/dev/sda10", "ext4", null, 3), ("/dev/sda2", "crypto_LUKS", null, 2), ("/dev/sdaa1", "ntfs", null, 2),
            ("/dev/sdc", "ext2", null, 1), ("/dev/../x y", "ext4", null, 1), ("/dev/vg/1-root", "ext4", null, 1),
        ];
        var named = NamedVolumes.Of(found, 2).ToDictionary(v => v.Entry.Text, v => (v.Device, v.Entry.Volume!.Unreadable is null));
        Assert.Equal(["-x_y", "disk0-part10", "disk0-part2", "disk1", "vg-1-root", "vg-1-root-2"], named.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(("/dev/sda2", false), named["disk0-part2"]);
        Assert.Equal(named.Keys, NamedVolumes.Of(found.Reverse(), 2).Select(v => v.Entry.Text));
    }

    private static ReadOnlySpan<byte> Page(int count, params ReadOnlySpan<string> names)
    {
        var answer = new FrameWriter(0).Put(-1L).Put(count);
        foreach (var name in names)
        {
            answer.Put(System.Text.Encoding.UTF8.GetBytes(name));
            for (var i = 0; i < ReaderFrames.EntryNumbers; i++) answer.Put(i == 0 ? 0x81A4L : 77L);
            answer.Put(""u8);
        }

        return answer.End().Span[5..];
    }

    private static async Task<byte[]> AskAsync(byte[] answer)
    {
        var answers = new Pipe();
        await answers.Writer.WriteAsync(answer);
        await answers.Writer.CompleteAsync();
        return await new ReaderConnection(new MemoryStream(), answers.Reader.AsStream()).AskAsync(new FrameWriter(1), CancellationToken.None);
    }
}
