using Strongroom.Store.Blobs.Conformance;
using Strongroom.Store.Collection;
using Strongroom.Store.Index;
using Strongroom.Store.Journals;
using Strongroom.Store.Keys;
using Strongroom.Store.Packs;
using Strongroom.Store.Scrub;

namespace Strongroom.Store;

/// <summary>What lies directly in a vault's place (<c>docs/store-format.md</c> section 1), to tell a vault's beginnings from what is somebody else's.</summary>
public static class VaultContents
{
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        VaultBirth.Name,
        "backend.json",
        "log",
        "tmp",
        KeyFolder.Prefix.TrimEnd('/'),
        PackFormat.FolderOf(PackContent.Data).TrimEnd('/'),
        PackFormat.FolderOf(PackContent.Nodes).TrimEnd('/'),
        SegmentFormat.Folder.TrimEnd('/'),
        RelocationTableId.Folder.TrimEnd('/'),
        ScrubLedger.Folder.TrimEnd('/'),
        JournalFormat.Folder.TrimEnd('/'),
        BackendConformance.ScratchFolder.TrimEnd('/'),
    };

    /// <summary>True for the name of a file or folder that a vault may have.</summary>
    /// <param name="name">Without a slash.</param>
    public static bool MayHold(string name) => Names.Contains(name);
}
