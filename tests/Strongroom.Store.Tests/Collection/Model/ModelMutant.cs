namespace Strongroom.Store.Tests.Collection.Model;

/// <summary>A rule of the protocol that is left out, to show that the check would notice.</summary>
internal enum ModelMutant
{
    None,

    /// <summary>A SWEEP is appended whatever was committed since the mark.</summary>
    NoFence,

    /// <summary>A COMMIT that lost its number to another entry is appended under the next without asking again whether it holds.</summary>
    NoSecondLook,

    /// <summary>What was committed since the mark is passed over.</summary>
    NoReconcile,

    /// <summary>A COMMIT holds although a pack that its session wrote was swept as an orphan.</summary>
    OwnPacksUnchecked,

    /// <summary>A COMMIT holds although a pack in which its session found a chunk was swept.</summary>
    FoundPacksUnchecked,

    /// <summary>A COMMIT holds although its parent was purged.</summary>
    ParentsUnchecked,

    /// <summary>A SWEEP is appended although another collection has condemned since.</summary>
    NoTakeover,

    /// <summary>Tables go with the next SWEEP, needed or not.</summary>
    TablesDropped,

    /// <summary>A chunk that was committed to a pack after its live chunks were copied is not seen.</summary>
    CopiesUnchecked,

    /// <summary>A pack is deleted before its SWEEP.</summary>
    DeletedFirst,

    /// <summary>A collector that dies leaves its packs to nobody.</summary>
    NothingFinished,
}
