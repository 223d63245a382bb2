namespace Strongroom.Blocks.Overlay;

/// <summary>An overlay may not take more room. What is in it stays as it is.</summary>
public sealed class OverlayFullException(string message) : IOException(message);
