using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>What a disk or a stream is restored to. Disposing before <see cref="Finish"/> leaves nothing that could be taken for a whole one.</summary>
internal interface IRestoreTarget : IImageSink, IDisposable
{
    /// <summary>Bytes that were written as data; zeros that became holes are none.</summary>
    long BytesWritten { get; }

    /// <summary>Makes it whole: everything is written.</summary>
    /// <param name="bytesDone">How far zeroing is, where it takes time.</param>
    /// <param name="cancellationToken">Nothing is made whole when this is cancelled.</param>
    /// <exception cref="IOException">It cannot be.</exception>
    void Finish(IProgress<long>? bytesDone, CancellationToken cancellationToken);
}
