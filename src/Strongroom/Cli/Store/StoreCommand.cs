using System.CommandLine;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store</c>: works on a vault directly, without a server (<c>docs/store-command.md</c>).</summary>
internal static class StoreCommand
{
    public const string Name = "store";

    public static Command Create() => new(Name, "Work on a vault directly, without a server.")
    {
        InitVerb.Create(),
        BackupVerb.Create(),
        ListVerb.Create(),
        LsVerb.Create(),
        RestoreVerb.Create(),
        CatVerb.Create(),
        MountVerb.Create(),
        VerifyVerb.Create(),
        ScrubVerb.Create(),
        CopyVerb.Create(),
        HealVerb.Create(),
        AcceptLossVerb.Create(),
        DeleteVerb.Create(),
        UndeleteVerb.Create(),
        PurgeVerb.Create(),
        LockVerb.Create(),
        PolicyVerb.Create(),
        RetainVerb.Create(),
        PruneVerb.Create(),
        GcVerb.Create(),
        StatsVerb.Create(),
        KeyVerbs.Create(),
        AcceptClockVerb.Create(),
        VerifyBackendVerb.Create(),
        RebuildCatalogueVerb.Create(),
    };
}
