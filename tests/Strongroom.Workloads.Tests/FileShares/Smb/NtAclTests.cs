using Strongroom.Store;
using Strongroom.Workloads.FileShares.Smb;

namespace Strongroom.Workloads.Tests.FileShares.Smb;

public sealed class NtAclTests
{
    // As Samba 4.17 writes it: python3-samba's ndr_pack of an NTACL of version 1.
    private const string Version1 =
        "0100010000000200010004801c0000002c000000000000003c000000010200000000001601000000000000000102000000000016020000000000000004001c000100000000001400a9001200010100000000000100000000";

    // As Samba 4.17 keeps it on the disk.
    private const string Version4 =
        "04000400000002000400020001009f3abe58946101ccce69a552ea6a9c91a4302af82878d32514ef8b430f1df9d40000000000000000000000000000000000000000000000000000000000000000706f7369785f61636c0038ace0437e7bdd01781bba5b431e65e4d3853c505c19f1e0227b795980891437fe3acaf1e4b657de000000000000000000000000000000000000000000000000000000000000000001000480b4000000d000000000000000e0000000010500000000000515000000227af1d0f2f3eac8d14b4581e80300000102000000000016020000000000000002007000040000000100180016011200010200000000001601000000feff00000000140089001200010100000000000100000000000018008900120001020000000000160200000000000000000024009f011f00010500000000000515000000227af1d0f2f3eac8d14b4581e8030000";

    [Fact]
    public void What_Samba_keeps_becomes_words()
    {
        Assert.Equal("REVISION:1,OWNER:S-1-22-1-0,GROUP:S-1-22-2-0,ACL:S-1-1-0:0/0/1179817", Read(Version1));
        Assert.Equal(
            "REVISION:1,OWNER:S-1-5-21-3505486370-3370841074-2168802257-1000,GROUP:S-1-22-2-0,ACL:S-1-22-1-65534:1/0/1179926,ACL:S-1-1-0:0/0/1179785,ACL:S-1-22-2-0:0/0/1179785,"
            + "ACL:S-1-5-21-3505486370-3370841074-2168802257-1000:0/0/2032031",
            Read(Version4));
        Assert.Null(NtAcl.Read(Entry()));
    }

    [Fact]
    public void Words_become_what_they_were_made_of()
    {
        const string Words = "REVISION:1,OWNER:S-1-5-18,GROUP:S-1-5-21-1-2-4294967295-513,ACL:S-1-1-0:1/0/1179926,ACL:S-1-5-32-544:0/19/2032127";
        var hexadecimal = Words.Replace("1179926", "0x00120116", StringComparison.Ordinal).Replace("2032127", "0x001f01ff", StringComparison.Ordinal);
        Assert.Equal(Words, NtAcl.Read(Entry(NtAcl.Write(hexadecimal))));
    }

    [Theory]
    [InlineData("REVISION:1,OWNER:root")]
    [InlineData("REVISION:1,OWNER:S-1-5-4294967296-4294967296")]
    [InlineData("REVISION:1,ACL:S-1-1-0:0/0")]
    [InlineData("REVISION:1,ACL:S-1-1-0:5/0/0x1")]
    [InlineData("REVISION:1,OWNER:S-1-5-18,GROUP:S-1-5-18")]
    [InlineData("nothing")]
    [InlineData("")]
    public void Words_that_say_nothing_or_too_little_are_refused(string words) => Assert.Throws<IOException>(() => NtAcl.Write(words));

    [Fact]
    public void Rights_for_a_part_of_a_thing_are_not_made_rights_for_all_of_it()
    {
        const int ObjectAllowed = 5;
        var failure = Assert.Throws<IOException>(() => Read(Version1.Replace("00001400a9001200", $"{ObjectAllowed:x2}001400a9001200", StringComparison.Ordinal)));
        Assert.Contains("of kind 5", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_attribute_that_is_cut_off_is_refused()
    {
        foreach (var whole in new[] { Version1, Version4 })
        {
            var value = Convert.FromHexString(whole);
            for (var length = 0; length < value.Length; length++)
                Assert.Throws<IOException>(() => NtAcl.Read(Entry(new ExtendedAttribute("security.NTACL"u8.ToArray(), value.AsMemory(0, length)))));
        }
    }

    [Fact]
    public void Attributes_and_the_time_of_birth_come_back()
    {
        var born = new FileTime(1_600_000_000, 123_456_700);
        Assert.Equal((0x2023, born), SambaAttributes.Read(Entry(SambaAttributes.Write(0x2023, born))));
        Assert.Equal((0, new FileTime(-5, 999_999_900)), SambaAttributes.Read(Entry(SambaAttributes.Write(0x80, new(-5, 999_999_900)))));
        // As Samba 4.17 keeps it on the disk.
        var kept = SambaAttributes.Read(Entry(new ExtendedAttribute("user.DOSATTRIB"u8.ToArray(), Convert.FromHexString("0000050005000000110000003000000013f238d07d7bdd01"))));
        Assert.Equal((0x30, 2026), (kept!.Value.Attributes, kept.Value.Born!.Value.ToDateTimeOffset().Year));
    }

    private static string? Read(string value) => NtAcl.Read(Entry(new ExtendedAttribute("security.NTACL"u8.ToArray(), Convert.FromHexString(value))));

    private static TreeEntry Entry(params ExtendedAttribute[] attributes) => new() { Kind = TreeEntryKind.File, Name = "a"u8.ToArray(), Attributes = attributes };
}
