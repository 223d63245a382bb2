using System.Text;
using CsCheck;
using Strongroom.Blocks.Iscsi.Login;
using Strongroom.Blocks.Iscsi.Pdus;

namespace Strongroom.Blocks.Tests.Iscsi;

public sealed class PduTests
{
    /// <summary>The examples of RFC 7143, Appendix A.4 (of RFC 3720, B.4): bytes as they go over the wire.</summary>
    [Theory]
    [InlineData(0x00, 0x00, "aa36918a")]
    [InlineData(0xff, 0x00, "43aba862")]
    [InlineData(0x00, 0x01, "4e79dd46")]
    [InlineData(0x1f, 0xff, "5cdb3f11")]
    public void Digests_are_those_of_the_standard(byte first, byte step, string expected)
    {
        var data = Enumerable.Range(0, 32).Select(index => (byte)(first + (index * step))).ToArray();
        var digest = new byte[4];
        Crc32C.Write(digest, data);
        Assert.Equal(expected, Convert.ToHexStringLower(digest));
        Assert.True(Crc32C.Matches(digest, data));
    }

    [Fact]
    public async Task What_is_sealed_is_read_back_with_any_digests()
    {
        await Gen.Select(Gen.Byte.Array[0, 3000], Gen.Bool, Gen.Bool, Gen.UInt).SampleAsync(
            async sample =>
            {
                var (data, hasHeader, hasData, tag) = sample;
                var bytes = Seal(data, tag, hasHeader, hasData);
                using var pdu = await ReadAsync(bytes, hasHeader, hasData);
                Assert.Equal((IscsiOpcode.DataIn, tag, 0x80), (pdu.Opcode, pdu.InitiatorTaskTag, pdu.Flags));
                Assert.Equal(data, pdu.Data.ToArray());

                // With both digests no bit may differ; a length that grew runs into the end of the connection.
                if (!hasHeader || !hasData)
                    return;
                bytes[(int)(tag % bytes.Length)] ^= 0x10;
                await Assert.ThrowsAnyAsync<IOException>(() => ReadAsync(bytes, hasHeader, hasData));
            },
            iter: 300);
    }

    [Fact]
    public async Task A_pdu_longer_than_agreed_is_refused_before_its_data_come()
    {
        var header = new byte[48];
        (header[0], header[5]) = (0x05, 0xff);
        await Assert.ThrowsAsync<IscsiProtocolException>(() => ReadAsync(header, false, false));
    }

    [Fact]
    public void Texts_are_parsed_pair_by_pair()
    {
        var pairs = TextKeys.Parse("A=1\0B=x=y\0C=\0"u8);
        Assert.Equal([("A", "1"), ("B", "x=y"), ("C", "")], pairs.Select(pair => (pair.Key, pair.Value)));
        Assert.Equal("A=1\0B=x=y\0C=\0"u8.ToArray(), TextKeys.Format(pairs));
        Assert.Empty(TextKeys.Parse("\0\0"u8));
    }

    [Theory]
    [InlineData("A\0")]
    [InlineData("=1\0")]
    [InlineData("A=1\0A=2\0")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123=1\0")]
    public void A_malformed_text_is_refused(string text) =>
        Assert.Throws<IscsiProtocolException>(() => TextKeys.Parse(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void A_text_that_is_not_utf8_or_has_too_many_keys_is_refused()
    {
        Assert.Throws<IscsiProtocolException>(() => TextKeys.Parse([(byte)'A', (byte)'=', 0xff]));
        Assert.Throws<IscsiProtocolException>(() => TextKeys.Parse(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 300).Select(index => $"K{index}=1\0")))));
    }

    [Theory]
    [InlineData("0x0aFF", "0aff")]
    [InlineData("0xfff", "0fff")]
    [InlineData("0bCv8=", "0aff")]
    [InlineData("0x", "")]
    [InlineData("12", null)]
    [InlineData("0xzz", null)]
    [InlineData("0b*", null)]
    [InlineData("0x0102030405", null)]
    public void Binary_values_are_hexadecimal_or_base64(string text, string? expected) =>
        Assert.Equal(expected, BinaryValue.Parse(text, 4) is { } value ? Convert.ToHexStringLower(value) : null);

    private static byte[] Seal(byte[] data, uint tag, bool hasHeader, bool hasData)
    {
        using var pdu = new OutgoingPdu(IscsiOpcode.DataIn, data);
        return pdu.Set(16, tag).Seal(hasHeader, hasData).ToArray();
    }

    private static async Task<Pdu> ReadAsync(byte[] bytes, bool hasHeader, bool hasData)
    {
        await using var wire = new BufferedWire(new MemoryStream(bytes));
        return await new PduReader(wire) { HasHeaderDigest = hasHeader, HasDataDigest = hasData }.ReadAsync(CancellationToken.None);
    }
}
