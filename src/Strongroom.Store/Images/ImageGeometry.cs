using Strongroom.Store.Manifests;

namespace Strongroom.Store.Images;

/// <summary>The fixed sizes of format version 1, and the arithmetic of the tree.</summary>
internal static class ImageGeometry
{
    public const int SlotLengthBytes = 256 * 1024;
    public const int SubSlotLengthBytes = 64 * 1024;
    public const int FanOut = 256;
    public const int NodeLengthBytes = FanOut * Slot.LengthBytes;
    public const long LeafLengthBytes = (long)SlotLengthBytes * FanOut;
    private const int FanOutBits = 8;

    public static long SlotCountOf(long lengthBytes) => (lengthBytes / SlotLengthBytes) + (lengthBytes % SlotLengthBytes > 0 ? 1 : 0);

    /// <summary>The least height, at least 1, whose tree has a slot for every 256 KiB.</summary>
    public static int HeightOf(long lengthBytes)
    {
        var slots = SlotCountOf(lengthBytes);
        var height = 1;
        while (slots > 1L << (FanOutBits * height))
            height++;
        return height;
    }

    /// <summary>The plaintext length of a slot: 256 KiB, less at the end of the image, 0 after it.</summary>
    public static int RawLengthOf(long slotIndex, long imageLengthBytes) =>
        (int)Math.Clamp(imageLengthBytes - (slotIndex * SlotLengthBytes), 0, SlotLengthBytes);

    /// <summary>Which child of a node of <paramref name="level"/> leads to <paramref name="slotIndex"/>.</summary>
    public static int ChildOf(long slotIndex, int level) => (int)(slotIndex >> (FanOutBits * (level - 1))) & (FanOut - 1);

    /// <summary>How many data slots a node of <paramref name="level"/> covers.</summary>
    public static long SlotsBelow(int level) => 1L << (FanOutBits * level);
}
