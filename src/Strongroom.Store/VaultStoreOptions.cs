namespace Strongroom.Store;

/// <summary>How a vault is worked with; nothing here changes its format. Immutable.</summary>
public sealed record VaultStoreOptions
{
    /// <summary>A pack is closed when it reaches this many bytes; 64 KiB to 1 GiB, 32 MiB by default.</summary>
    public int PackSizeBytes { get; init; } = 32 << 20;

    /// <summary>Workers of one image's backup, and of one restore; 1 to 64. Each needs about 2 MiB.</summary>
    public int Workers { get; init; } = Math.Clamp(Environment.ProcessorCount + 1, 2, 16);

    /// <summary>Before a pack becomes visible every n-th frame is read back and opened; 1 checks all.</summary>
    public int VerifyEvery { get; init; } = 16;

    /// <summary>Of the chunks that a backup finds in the vault, every n-th (and the first in each pack) is read back before it is relied on; 1 checks all.</summary>
    public int ReadBackEvery { get; init; } = 64;

    /// <summary>Manifest nodes of 12 KiB, of up to 60 KiB where slots are split, kept for all readers together.</summary>
    public int CachedNodes { get; init; } = 512;

    /// <summary>What was read of images, for all vaults that are opened with the same; null: one of 16 MiB of the vault's own.</summary>
    public ReadCache? ReadCache { get; init; }

    /// <summary>New index records kept in memory before they go to disk as a segment; about 100 bytes each.</summary>
    public int IndexBufferRecords { get; init; } = 64 * 1024;

    /// <summary>Of an image whose source has a resume token, the leaves of 64 MiB that are noted in the vault at a time; 1 to 256, 8 by default.</summary>
    public int JournalLeaves { get; init; } = 8;

    /// <summary>Opens a vault for reading whose newest keys are lost, with older ones; backups then wait for <see cref="VaultKeys.RotateAsync"/>. Packs of lost keys stay unreadable.</summary>
    public bool AcceptsOlderKeys { get; init; }

    /// <summary>False where the clock is moved on purpose: <see cref="VaultGovernance.IsClockTrusted"/> is always true then.</summary>
    public bool GuardsClock { get; init; } = true;

    internal void Validate()
    {
        Require(PackSizeBytes is >= 64 << 10 and <= 1 << 30, nameof(PackSizeBytes), "64 KiB to 1 GiB");
        Require(Workers is >= 1 and <= 64, nameof(Workers), "1 to 64");
        Require(VerifyEvery >= 1, nameof(VerifyEvery), "at least 1");
        Require(ReadBackEvery >= 1, nameof(ReadBackEvery), "at least 1");
        Require(CachedNodes >= 16, nameof(CachedNodes), "at least 16");
        Require(JournalLeaves is >= 1 and <= Journals.JournalFormat.GreatestRecords, nameof(JournalLeaves), "1 to 256");
        Require(IndexBufferRecords >= 16, nameof(IndexBufferRecords), "at least 16");
    }

    private static void Require(bool isMet, string name, string range)
    {
        if (!isMet)
            throw new StoreException(StoreErrorKind.InvalidRequest, $"The store's option {name} must be {range}.");
    }
}
