namespace Strongroom.Blocks;

/// <summary>A program that is needed to read a disk is not installed; the message says how to install it.</summary>
public sealed class ToolMissingException(string message) : IOException(message);
