namespace Strongroom.Cli.Tests.Files;

/// <summary>Tells before each part of it is read.</summary>
internal sealed class WatchedStream(byte[] content, Action onRead) : MemoryStream(content)
{
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        onRead();
        return base.ReadAsync(buffer, cancellationToken);
    }

    public override Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
    {
        onRead();
        return base.CopyToAsync(destination, bufferSize, cancellationToken);
    }
}
