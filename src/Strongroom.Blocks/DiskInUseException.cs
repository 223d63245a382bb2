namespace Strongroom.Blocks;

/// <summary>A disk image is held open for writing by another process, usually the emulator of a running machine.</summary>
public sealed class DiskInUseException(string message, Exception? innerException = null) : IOException(message, innerException);
