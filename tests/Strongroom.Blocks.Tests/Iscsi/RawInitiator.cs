using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Strongroom.Blocks.Tests.Iscsi;

/// <summary>A PDU as it came over the wire.</summary>
internal sealed record RawPdu(byte[] Header, byte[] Data)
{
    public int Opcode => Header[0] & 0x3f;

    public uint Number(int offset) => BinaryPrimitives.ReadUInt32BigEndian(Header.AsSpan(offset));

    public Dictionary<string, string> Keys =>
        Encoding.UTF8.GetString(Data).Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
}

/// <summary>An initiator that sends whatever it is told to, byte by byte; written from RFC 7143 and not from our own target.</summary>
internal sealed partial class RawInitiator(Stream wire) : IDisposable
{
    public const string Name = "iqn.2026-01.test:initiator";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private uint _tag = 1;

    public uint CommandSn { get; set; } = 7;

    public byte Port { get; init; } = 1;

    public static async Task<RawInitiator> ConnectAsync(EndPoint server, byte port = 1)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server);
        return new(new NetworkStream(socket, ownsSocket: true)) { Port = port };
    }

    /// <summary>The whole login; returns the last answer, a refusal or the final one.</summary>
    public async Task<RawPdu> LogInToAsync(string? target, string user, string secret, string algorithms = "5", string name = Name, params string[] keys)
    {
        string[] session = target is null ? ["SessionType=Discovery"] : [$"TargetName={target}"];
        var answer = await LoginAsync(0x81, ["AuthMethod=CHAP", $"InitiatorName={name}", .. session]);
        if (answer.Number(36) >> 16 != 0)
            return answer;
        answer = await LoginAsync(0x00, [$"CHAP_A={algorithms}"]);
        if (answer.Number(36) >> 16 != 0)
            return answer;
        answer = await LoginAsync(0x81, [$"CHAP_N={user}", $"CHAP_R={Respond(answer, secret)}"]);
        return answer.Number(36) >> 16 != 0 ? answer : await LoginAsync(0x87, keys);
    }

    public static string Respond(RawPdu challenge, string secret)
    {
        var keys = challenge.Keys;
        byte[] message = [byte.Parse(keys["CHAP_I"], CultureInfo.InvariantCulture), .. Encoding.ASCII.GetBytes(secret), .. Convert.FromHexString(keys["CHAP_C"][2..])];
#pragma warning disable CA5351 // MD5 is what CHAP prescribes.
        return "0x" + Convert.ToHexString(keys["CHAP_A"] == "7" ? SHA256.HashData(message) : MD5.HashData(message));
#pragma warning restore CA5351
    }

    public async Task<RawPdu> LoginAsync(byte flags, params string[] keys)
    {
        var header = new byte[48];
        (header[0], header[1]) = (0x43, flags);
        (header[8], header[13]) = (0x80, Port);
        Put(header, 16, _tag++);
        Put(header, 24, CommandSn);
        await SendAsync(header, Encoding.UTF8.GetBytes(string.Concat(keys.Select(key => key + "\0"))));
        return await ReceiveAsync();
    }

    /// <summary>Sends a SCSI command; flags are F, R and W.</summary>
    public async Task<uint> CommandAsync(byte[] cdb, byte flags, int expectedBytes, byte[]? immediate = null, byte lun = 0)
    {
        var header = Header(0x01, flags);
        header[9] = lun;
        Put(header, 20, (uint)expectedBytes);
        Put(header, 24, CommandSn++);
        cdb.CopyTo(header, 32);
        await SendAsync(header, immediate ?? []);
        return _tag - 1;
    }

    /// <summary>A command whose data come back in one PDU, or none.</summary>
    public async Task<RawPdu> RunAsync(byte[] cdb, int expectedBytes = 0, byte[]? data = null, byte lun = 0)
    {
        await CommandAsync(cdb, data is not null ? (byte)0xa0 : expectedBytes > 0 ? (byte)0xc0 : (byte)0x80, data?.Length ?? expectedBytes, data, lun);
        return await ReceiveAsync();
    }

    public byte[] Header(byte opcode, byte flags)
    {
        var header = new byte[48];
        (header[0], header[1]) = (opcode, flags);
        Put(header, 16, _tag++);
        return header;
    }

    public async Task DataOutAsync(uint tag, uint transferTag, uint dataSn, int offset, byte[] data, bool isFinal)
    {
        var header = Header(0x05, isFinal ? (byte)0x80 : (byte)0);
        Put(header, 16, tag);
        Put(header, 20, transferTag);
        Put(header, 36, dataSn);
        Put(header, 40, (uint)offset);
        await SendAsync(header, data);
    }

    public async Task SendAsync(byte[] header, byte[] data)
    {
        header[5] = (byte)(data.Length >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(6), (ushort)data.Length);
        await SendBytesAsync([.. header, .. data, .. new byte[-data.Length & 3]]);
    }

    public async Task SendBytesAsync(byte[] bytes) => await wire.WriteAsync(bytes).AsTask().WaitAsync(Patience);

    public async Task<RawPdu> ReceiveAsync()
    {
        var header = await ReceiveBytesAsync(48);
        var length = (int)(BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4)) & 0xff_ffff);
        var data = await ReceiveBytesAsync((length + 3) & ~3);
        return new(header, data[..length]);
    }

    public async Task RequireHangUpAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (await wire.ReadAsync(buffer).AsTask().WaitAsync(Patience) > 0)
            {
                // A reject or an async message may come before it.
            }
        }
        catch (IOException failure) when (failure.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
        {
            // What was on its way to the target was thrown away.
        }
    }

    public void Dispose() => wire.Dispose();

    public static void Put(byte[] header, int offset, uint value) => BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(offset), value);

    private async Task<byte[]> ReceiveBytesAsync(int count)
    {
        var bytes = new byte[count];
        for (var at = 0; at < count;)
        {
            var received = await wire.ReadAsync(bytes.AsMemory(at)).AsTask().WaitAsync(Patience);
            Assert.True(received > 0, "The target closed the connection.");
            at += received;
        }

        return bytes;
    }
}

/// <summary>CDBs (SBC-3) and what is in their answers.</summary>
internal static class Cdb
{
    public static byte[] Read10(uint block, ushort blocks) => Ten(0x28, block, blocks);

    public static byte[] Write10(uint block, ushort blocks) => Ten(0x2a, block, blocks);

    public static byte[] TestUnitReady => new byte[6];

    /// <summary>Sense key and additional sense code of a response in fixed format, as 0xKKCCCC.</summary>
    public static int SenseOf(RawPdu response) => response.Data.Length == 0 ? 0 : (response.Data[4] << 16) | (response.Data[14] << 8) | response.Data[15];

    private static byte[] Ten(byte opcode, uint block, ushort blocks)
    {
        var cdb = new byte[10];
        cdb[0] = opcode;
        BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(2), block);
        BinaryPrimitives.WriteUInt16BigEndian(cdb.AsSpan(7), blocks);
        return cdb;
    }
}
