using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Strongroom.Blocks.Nbd;

namespace Strongroom.Blocks.Tests.Nbd;

/// <summary>An NBD server that plays a script on its one connection; for the faults that no real server makes on demand.</summary>
/// <remarks>Its numbers are written out, not taken from the client, so that a wrong one there is noticed.</remarks>
public sealed class FakeNbdServer : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _playing;
    private Stream _stream = Stream.Null;

    public FakeNbdServer(Func<FakeNbdServer, Task> script)
    {
        Address = NbdAddress.Unix(_folder["nbd"]);
        _listener.Bind(new UnixDomainSocketEndPoint(_folder["nbd"]));
        _listener.Listen();
        _playing = PlayAsync(script);
    }

    public NbdAddress Address { get; }

    public long LengthBytes { get; set; } = 1 << 20;

    /// <summary>Whether the server knows structured replies and base:allocation (as context 7).</summary>
    public bool IsStructured { get; set; } = true;

    /// <summary>Whether it has the dirty bitmap "b" (as context 8).</summary>
    public bool HasBitmap { get; set; }

    /// <summary>Whether it knows extended headers.</summary>
    public bool IsExtended { get; set; }

    public uint MinimumBlockSizeBytes { get; set; } = 1;

    public uint MaximumPayloadBytes { get; set; } = 32 << 20;

    /// <summary>The whole negotiation as a sound server does it.</summary>
    public async Task NegotiateAsync()
    {
        await GreetAsync();
        while (true)
        {
            var (option, data) = await ReadOptionAsync();
            switch (option)
            {
                case 8 when !IsStructured:
                case 11 when !IsExtended:
                    await SendOptionReplyAsync(option, 0x80000001, []);
                    break;
                case 10:
                    Assert.Contains("base:allocation", Encoding.UTF8.GetString(data), StringComparison.Ordinal);
                    await SendOptionReplyAsync(option, 4, [.. Big32(7), .. "base:allocation"u8]);
                    if (HasBitmap)
                        await SendOptionReplyAsync(option, 4, [.. Big32(8), .. "qemu:dirty-bitmap:b"u8]);
                    await SendOptionReplyAsync(option, 1, []);
                    break;
                case 7:
                    await SendOptionReplyAsync(option, 3, [.. Big16(3), .. Big32(MinimumBlockSizeBytes), .. Big32(Math.Max(4096, MinimumBlockSizeBytes)), .. Big32(MaximumPayloadBytes)]);
                    await SendOptionReplyAsync(option, 3, [.. Big16(1), .. "a name the client must ignore"u8]);
                    await SendOptionReplyAsync(option, 3, [.. Big16(0), .. Big64((ulong)LengthBytes), .. Big16(1 | 2)]);
                    await SendOptionReplyAsync(option, 1, []);
                    return;
                default:
                    await SendOptionReplyAsync(option, 1, []);
                    break;
            }
        }
    }

    public async Task GreetAsync()
    {
        await SendAsync([.. "NBDMAGIC"u8, .. "IHAVEOPT"u8, .. Big16(3)]);
        Assert.Equal(3u, BinaryPrimitives.ReadUInt32BigEndian(await ReadAsync(4)));
    }

    public async Task<(uint Option, byte[] Data)> ReadOptionAsync()
    {
        var header = await ReadAsync(16);
        Assert.Equal("IHAVEOPT", Encoding.ASCII.GetString(header, 0, 8));
        return (BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(8)), await ReadAsync((int)BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(12))));
    }

    public Task SendOptionReplyAsync(uint option, uint type, byte[] data) =>
        SendAsync([.. Big64(0x0003e889045565a9), .. Big32(option), .. Big32(type), .. Big32((uint)data.Length), .. data]);

    public async Task<(ushort Type, ulong Cookie, long Offset, uint Length)> ReadRequestAsync()
    {
        var header = await ReadAsync(28);
        Assert.Equal(0x25609513u, BinaryPrimitives.ReadUInt32BigEndian(header));
        Assert.Equal(0, BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(4)));
        return (
            BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(6)),
            BinaryPrimitives.ReadUInt64BigEndian(header.AsSpan(8)),
            BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(16)),
            BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(24)));
    }

    public async Task<(ushort Type, ulong Cookie, long Offset, long Length)> ReadExtendedRequestAsync()
    {
        var header = await ReadAsync(32);
        Assert.Equal(0x21e41c71u, BinaryPrimitives.ReadUInt32BigEndian(header));
        Assert.Equal(0, BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(4)));
        return (
            BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(6)),
            BinaryPrimitives.ReadUInt64BigEndian(header.AsSpan(8)),
            BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(16)),
            BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(24)));
    }

    public Task SendExtendedChunkAsync(ulong cookie, long requestOffset, ushort type, byte[] data, bool isLast = true, ulong? length = null) =>
        SendAsync([.. Big32(0x6e8a278c), .. Big16((ushort)(isLast ? 1 : 0)), .. Big16(type), .. Big64(cookie), .. Big64((ulong)requestOffset), .. Big64(length ?? (ulong)data.Length), .. data]);

    public Task SendChunkAsync(ulong cookie, ushort type, byte[] data, bool isLast = true, uint? length = null) =>
        SendAsync([.. Big32(0x668e33ef), .. Big16((ushort)(isLast ? 1 : 0)), .. Big16(type), .. Big64(cookie), .. Big32(length ?? (uint)data.Length), .. data]);

    public Task SendDataAsync(ulong cookie, long offset, byte[] data, bool isLast = true) =>
        SendChunkAsync(cookie, 1, [.. Big64((ulong)offset), .. data], isLast);

    public Task SendHoleAsync(ulong cookie, long offset, uint length, bool isLast = true) =>
        SendChunkAsync(cookie, 2, [.. Big64((ulong)offset), .. Big32(length)], isLast);

    public Task SendErrorAsync(ulong cookie, uint error, string text) =>
        SendChunkAsync(cookie, 0x8001, [.. Big32(error), .. Big16((ushort)text.Length), .. Encoding.UTF8.GetBytes(text)]);

    public async Task SendAsync(byte[] data) => await _stream.WriteAsync(data, _stopping.Token);

    public void HangUp() => _stream.Dispose();

    /// <summary>Waits until the client hangs up (or the test ends).</summary>
    public async Task WaitForHangUpAsync()
    {
        var rest = new byte[4096];
        while (await _stream.ReadAsync(rest, _stopping.Token) > 0)
        {
        }
    }

    public Task WaitForEverAsync() => Task.Delay(Timeout.Infinite, _stopping.Token);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        try
        {
            await _playing;
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // The client has gone, or the test has ended first.
        }

        await _stream.DisposeAsync();
        _stopping.Dispose();
        _folder.Dispose();
    }

    public static byte[] Big16(ushort value) => Big64(value)[6..];

    public static byte[] Big32(uint value) => Big64(value)[4..];

    public static byte[] Big64(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes;
    }

    private async Task<byte[]> ReadAsync(int count)
    {
        var bytes = new byte[count];
        await _stream.ReadExactlyAsync(bytes, _stopping.Token);
        return bytes;
    }

    private async Task PlayAsync(Func<FakeNbdServer, Task> script)
    {
        _stream = new NetworkStream(await _listener.AcceptAsync(_stopping.Token), ownsSocket: true);
        await script(this);
    }
}
