namespace Strongroom.Blocks;

/// <summary>The bitmap that was to say what has changed is missing, inconsistent or of no use. The disk itself can be read: all of it must be, to find what has changed.</summary>
public sealed class DirtyBitmapUnusableException(string message, Exception? cause = null) : IOException(message, cause);
