using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Strongroom.Blocks.Nbd;
using Strongroom.Blocks.Nbd.Server;

namespace Strongroom.Blocks.Tests.Nbd.Server;

/// <summary>A disk in memory that can be told to fail.</summary>
internal sealed class MemoryDisk(byte[] content) : IBlockSource
{
    private const int GrainBytes = 4096;

    private int _waiting;

    /// <summary>A read that touches this byte fails.</summary>
    public long? BadByte { get; set; }

    /// <summary>Reads wait for it.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>Reads that have come to the gate.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    public int MapsBegun { get; private set; }

    public long LengthBytes => content.Length;

    public async IAsyncEnumerable<BlockExtent> MapAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        MapsBegun++;
        await Task.Yield();
        for (var start = 0; start < content.Length;)
        {
            var kind = KindAt(start);
            var end = start;
            while (end < content.Length && KindAt(end) == kind)
                end = Math.Min(end + GrainBytes, content.Length);
            yield return new(start, end - start, kind);
            start = end;
        }
    }

    public async ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _waiting);
        await Gate.WaitAsync(cancellationToken);
        if (BadByte is { } bad && bad >= offsetBytes && bad < offsetBytes + buffer.Length)
            throw new IOException("A bad sector.");
        content.AsMemory((int)offsetBytes, buffer.Length).CopyTo(buffer);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private BlockKind KindAt(int offset) =>
        content.AsSpan(offset, Math.Min(GrainBytes, content.Length - offset)).ContainsAnyExcept((byte)0) ? BlockKind.Data : BlockKind.Zero;
}

/// <summary>A server of a disk in memory.</summary>
internal sealed class ServerLab : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly ReadOnlyDevice device;

    public ServerLab(byte[] content, NbdServerOptions? options = null)
    {
        Content = content;
        Disk = new(content);
        device = new(Disk);
        Server = NbdServer.Start(folder["s"], device, options ?? new());
    }

    public byte[] Content { get; }

    public MemoryDisk Disk { get; }

    public NbdServer Server { get; }

    public UnixDomainSocketEndPoint EndPoint => new(Server.SocketPath);

    /// <summary>Noise with holes in it.</summary>
    public static byte[] Sample(int lengthBytes = 1 << 20)
    {
        var content = Sources.Noise(lengthBytes, 1);
        content.AsSpan(lengthBytes / 4, lengthBytes / 4).Clear();
        return content;
    }

    public Task<NbdClient> ConnectAsync() => NbdClient.ConnectAsync(NbdAddress.Unix(Server.SocketPath), new NbdClientOptions { ConnectTimeout = TimeSpan.FromSeconds(20) }, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await device.DisposeAsync();
        folder.Dispose();
    }
}
