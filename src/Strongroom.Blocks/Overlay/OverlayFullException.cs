namespace Strongroom.Blocks.Overlay;

/// <summary>An overlay may not take more room. What is in it stays as it is.</summary>
public sealed class OverlayFullException(long mostBytes) : IOException($"The overlay takes the {mostBytes} bytes that it may take.");
