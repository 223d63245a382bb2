namespace Strongroom.Blocks;

/// <summary>A disk that is written over: what it held before is there still wherever nothing was written.</summary>
/// <remarks>For one caller at a time. Errors are <see cref="IOException"/>.</remarks>
public interface IOverwrittenDisk : IDisposable
{
    /// <summary>The size in bytes; cannot be changed.</summary>
    long LengthBytes { get; }

    /// <summary>Writes bytes; the run lies inside the disk.</summary>
    void Write(long offsetBytes, ReadOnlySpan<byte> data);

    /// <summary>Makes a run of bytes zeros. Takes as long as writing them where the disk has no better means.</summary>
    void WriteZeros(long offsetBytes, long lengthBytes);

    /// <summary>Returns when what was written outlasts a power cut.</summary>
    void Synchronise();
}
