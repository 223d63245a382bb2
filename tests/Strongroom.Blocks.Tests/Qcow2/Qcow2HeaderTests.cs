using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Strongroom.Blocks.Qcow2;

namespace Strongroom.Blocks.Tests.Qcow2;

public sealed class Qcow2HeaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private Qcow2Header Read(string name)
    {
        using var file = DiskFile.OpenRegular(_folder[name]);
        return Qcow2Header.Read(file.Handle);
    }

    /// <summary>A version 3 header with a backing file and its format.</summary>
    private static byte[] Sound()
    {
        var bytes = new byte[65536];
        Qcow2Header.Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), 3);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), 200);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(16), 8);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(20), 16);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(24), 10 << 20);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(100), 112);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(112), 0xE2792ACA);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(116), 3);
        "raw"u8.CopyTo(bytes.AsSpan(120));
        "base.raw"u8.CopyTo(bytes.AsSpan(200));
        return bytes;
    }

    [Fact]
    public void A_sound_header_is_understood() =>
        Assert.Equal(new Qcow2Header(3, 10 << 20, 65536, "base.raw", "raw", false, 0), Qcow2Header.Parse(Sound()));

    [Fact]
    public void A_damaged_header_is_never_more_than_invalid_data()
    {
        var change = Gen.Select(Gen.OneOf(Gen.Int[0, 140], Gen.Int[196, 210]), Gen.Byte);
        Gen.Select(change.Array[1, 12], Gen.Int[0, 65536]).Sample((changes, length) =>
        {
            var bytes = Sound();
            foreach (var (index, value) in changes)
                bytes[index] = value;
            try
            {
                var header = Qcow2Header.Parse(bytes.AsSpan(0, length));
                Assert.InRange(header.Version, 2, 3);
                Assert.InRange(header.LengthBytes, 0, long.MaxValue);
            }
            catch (InvalidDataException exception)
            {
                Assert.NotEmpty(exception.Message);
            }
        });
    }

    [Fact]
    public void A_file_cut_anywhere_is_never_more_than_invalid_data()
    {
        for (var length = 0; length < 208; length++)
            Assert.Throws<InvalidDataException>(() => Qcow2Header.Parse(Sound().AsSpan(0, length)));
    }

    [Theory]
    [InlineData(4, 4u)] // version
    [InlineData(20, 8u)] // cluster bits
    [InlineData(20, 22u)]
    [InlineData(20, 0xFFFFFFFFu)]
    [InlineData(24, 0xFFFFFFFFu)] // size
    [InlineData(32, 3u)] // encryption
    [InlineData(16, 1024u)] // length of the backing file's name
    [InlineData(16, 0u)]
    [InlineData(8, 1u)] // its offset
    [InlineData(12, 50u)]
    [InlineData(12, 65530u)]
    [InlineData(72, 1u)] // incompatible features
    [InlineData(100, 96u)] // header length
    [InlineData(100, 0x80000000u)]
    [InlineData(116, 0x7FFFFFFFu)] // length of an extension
    public void Contradictions_are_refused(int offset, uint value)
    {
        var bytes = Sound();
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(offset), value);
        Assert.Throws<InvalidDataException>(() => Qcow2Header.Parse(bytes));
    }

    [Theory]
    [InlineData("0.10", 2)]
    [InlineData("1.1", 3)]
    public async Task Images_made_by_qemu_are_understood(string compatibility, int version)
    {
        Programs.RequireQemu();
        await Programs.RunAsync("qemu-img", "create", "-f", "qcow2", "-o", $"compat={compatibility},cluster_size=8192", _folder["base.qcow2"], "12345856");
        await Programs.RunAsync("qemu-img", "create", "-f", "qcow2", "-o", $"compat={compatibility}", "-b", "base.qcow2", "-F", "qcow2", _folder["top.qcow2"]);
        Assert.Equal(new Qcow2Header(version, 12345856, 8192, null, null, false, 0), Read("base.qcow2"));
        Assert.Equal(new Qcow2Header(version, 12345856, 65536, "base.qcow2", "qcow2", false, 0), Read("top.qcow2"));
    }

    [Fact]
    public async Task Encryption_and_external_data_files_are_seen()
    {
        Programs.RequireQemu();
        await Programs.RunAsync("qemu-img", "create", "-f", "qcow2", "-o", $"data_file={_folder["data.raw"]}", _folder["external.qcow2"], "1M");
        Assert.True(Read("external.qcow2").HasExternalDataFile);
        await Programs.RunAsync("qemu-img", "create", "-f", "qcow2", "--object", "secret,id=s,data=geheim", "-o", "encrypt.format=aes,encrypt.key-secret=s", _folder["encrypted.qcow2"], "1M");
        Assert.True(Read("encrypted.qcow2").IsEncrypted);
    }

    [Fact]
    public void Names_that_are_no_text_are_refused()
    {
        var bytes = Sound();
        bytes[203] = 0xFF;
        Assert.Throws<InvalidDataException>(() => Qcow2Header.Parse(bytes));
        bytes[203] = 0;
        Assert.Throws<InvalidDataException>(() => Qcow2Header.Parse(bytes));
        Assert.Equal("bäse", Qcow2Header.Parse(WithName("bäse")).BackingFile);
    }

    private static byte[] WithName(string name)
    {
        var bytes = Sound();
        var text = Encoding.UTF8.GetBytes(name);
        text.CopyTo(bytes, 200);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(16), (uint)text.Length);
        return bytes;
    }
}
