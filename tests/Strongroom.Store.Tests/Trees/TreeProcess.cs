using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Trees;

/// <summary>Backups and restores of trees in a process of their own, which may be killed or run as somebody else.</summary>
/// <remarks>Lines on the standard output: <c>ready</c> once the vault is open, and in the end what a test reads.</remarks>
internal static class TreeProcess
{
    /// <summary>Backs up against the last recovery point.</summary>
    public static async Task<int> BackUpAsync(string vaultFolder, string folder)
    {
        using var backend = new LocalBackend(vaultFolder);
        await using var vault = await TestVault.OpenAsync(backend);
        Console.WriteLine("ready");
        await vault.StoreTreeAsync(folder, Last(vault), new());
        return 0;
    }

    /// <summary>Restores the last recovery point over what is there.</summary>
    public static async Task<int> RestoreAsync(string vaultFolder, string folder)
    {
        using var backend = new LocalBackend(vaultFolder);
        await using var vault = await TestVault.OpenAsync(backend);
        Console.WriteLine("ready");
        var result = await vault.RestoreTreeAsync(Last(vault)!.Value, folder, existing: ExistingFiles.Overwrite);
        Console.WriteLine($"{result.Files} files, {result.FilesFailed} failed");
        foreach (var problem in result.Problems)
            Console.WriteLine($"{problem.Path}: {problem.What}");
        return 0;
    }

    /// <summary>The tree of the snapshot that was committed last.</summary>
    public static TreeRef? Last(VaultStore vault) => vault.Snapshots.MaxBy(snapshot => snapshot.LogSequence)?.Trees[0].Tree;
}
