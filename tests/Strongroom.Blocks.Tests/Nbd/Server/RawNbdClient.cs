using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Strongroom.Blocks.Tests.Nbd.Server;

internal sealed record OptionReply(uint Option, uint Type, byte[] Data);

internal sealed record Chunk(ushort Flags, ushort Type, ulong Cookie, byte[] Data);

/// <summary>A client that sends whatever it is told to, byte by byte; written from doc/proto.md and not from our own client.</summary>
internal sealed class RawNbdClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    private RawNbdClient()
    {
    }

    /// <summary>Connects, reads the greeting and sends the client's flags.</summary>
    public static async Task<RawNbdClient> ConnectAsync(EndPointOf server, uint flags = 3)
    {
        var client = new RawNbdClient();
        await client.socket.ConnectAsync(server.EndPoint);
        var greeting = await client.ReceiveAsync(18);
        Assert.Equal("NBDMAGICIHAVEOPT\0\u0003", Encoding.ASCII.GetString(greeting));
        await client.SendAsync(Big32(flags));
        return client;
    }

    /// <summary>A client in the transmission phase.</summary>
    public static async Task<RawNbdClient> OpenAsync(EndPointOf server, bool structured = true, bool allocation = false)
    {
        var client = await ConnectAsync(server);
        if (structured)
            Assert.Equal(1u, (await client.OptionAsync(8, []))[^1].Type);
        if (allocation)
            Assert.Equal(2, (await client.OptionAsync(10, Contexts("", "base:allocation"))).Count);
        Assert.Equal(1u, (await client.OptionAsync(7, Go("")))[^1].Type);
        return client;
    }

    public static byte[] Big16(ushort value) => [(byte)(value >> 8), (byte)value];

    public static byte[] Big32(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    public static byte[] Big64(ulong value) => [.. Big32((uint)(value >> 32)), .. Big32((uint)value)];

    public static byte[] Text(string text) => [.. Big32((uint)text.Length), .. Encoding.ASCII.GetBytes(text)];

    public static byte[] Go(string name, params ushort[] information) => [.. Text(name), .. Big16((ushort)information.Length), .. information.SelectMany(Big16)];

    public static byte[] Contexts(string name, params string[] queries) => [.. Text(name), .. Big32((uint)queries.Length), .. queries.SelectMany(Text)];

    public async Task SendAsync(byte[] bytes) => await socket.SendAsync(bytes);

    public async Task SendOptionAsync(uint option, byte[] data, uint? announcedLength = null) =>
        await SendAsync([.. "IHAVEOPT"u8, .. Big32(option), .. Big32(announcedLength ?? (uint)data.Length), .. data]);

    /// <summary>All replies up to the last: an acknowledgement or an error.</summary>
    public async Task<List<OptionReply>> OptionAsync(uint option, byte[] data)
    {
        await SendOptionAsync(option, data);
        var replies = new List<OptionReply>();
        do
        {
            var header = await ReceiveAsync(20);
            Assert.Equal(0x3e889045565a9UL, BinaryPrimitives.ReadUInt64BigEndian(header));
            Assert.Equal(option, BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(8)));
            replies.Add(new(option, BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(12)), await ReceiveAsync((int)BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(16)))));
        }
        while (replies[^1].Type != 1 && (replies[^1].Type & 0x8000_0000) == 0);
        return replies;
    }

    public Task RequestAsync(ushort type, ulong cookie, ulong offset, uint length, ushort flags = 0, byte[]? payload = null) =>
        SendAsync([.. Big32(0x25609513), .. Big16(flags), .. Big16(type), .. Big64(cookie), .. Big64(offset), .. Big32(length), .. payload ?? []]);

    public async Task<Chunk> ChunkAsync()
    {
        var header = await ReceiveAsync(20);
        Assert.Equal(0x668e33efu, BinaryPrimitives.ReadUInt32BigEndian(header));
        return new(
            BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(4)), BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(6)),
            BinaryPrimitives.ReadUInt64BigEndian(header.AsSpan(8)), await ReceiveAsync((int)BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(16))));
    }

    /// <summary>The error number of a structured reply that is one error chunk, or 0 of one that says "done".</summary>
    public async Task<uint> ErrorAsync(ulong cookie)
    {
        var chunk = await ChunkAsync();
        Assert.Equal(cookie, chunk.Cookie);
        Assert.Equal(1, chunk.Flags);
        if (chunk.Type == 0)
            return 0;
        Assert.Equal(0x8001, chunk.Type);
        return BinaryPrimitives.ReadUInt32BigEndian(chunk.Data);
    }

    public async Task<byte[]> ReceiveAsync(int count)
    {
        using var patience = new CancellationTokenSource(Patience);
        var bytes = new byte[count];
        for (var received = 0; received < count;)
        {
            var part = await socket.ReceiveAsync(bytes.AsMemory(received), patience.Token);
            if (part == 0)
                throw new EndOfStreamException();
            received += part;
        }

        return bytes;
    }

    /// <summary>The server closes the connection, and says nothing more.</summary>
    public async Task RequireHangUpAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            Assert.Equal(0, await socket.ReceiveAsync(new byte[1], patience.Token));
        }
        catch (SocketException failure)
        {
            Assert.Equal(SocketError.ConnectionReset, failure.SocketErrorCode);
        }
    }

    public void Dispose() => socket.Dispose();
}

/// <summary>Where a server is; so that tests pass their lab.</summary>
internal readonly record struct EndPointOf(UnixDomainSocketEndPoint EndPoint)
{
    public static implicit operator EndPointOf(ServerLab lab) => new(lab.EndPoint);
}
