namespace Strongroom.Backup.FileRecovery.Browsing;

/// <summary>The type in a file's mode (inode(7)).</summary>
public static class ModeBits
{
    public const int TypeMask = 0xF000;

    public const int Fifo = 0x1000, CharacterDevice = 0x2000, Folder = 0x4000, BlockDevice = 0x6000, Regular = 0x8000, Link = 0xA000, Socket = 0xC000;
}
