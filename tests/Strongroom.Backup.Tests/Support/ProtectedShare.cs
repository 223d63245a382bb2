using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.Tests.Support;

/// <summary>The share <c>docs</c> of the account <c>files1</c>, protected in a vault of a rig of its own.</summary>
internal sealed class ProtectedShare : IAsyncDisposable
{
    private ProtectedShare(Rig rig, Vault vault, string folder, ProtectedItem item) => (Rig, Vault, Folder, Item) = (rig, vault, folder, item);

    public Rig Rig { get; }

    public Vault Vault { get; }

    /// <summary>Where the share's files are.</summary>
    public string Folder { get; }

    public ProtectedItem Item { get; }

    /// <summary>The share with some files.</summary>
    public static Task<ProtectedShare> NewAsync(params (string Path, string Text)[] files) => NewAsync(softDelete: true, files);

    public static async Task<ProtectedShare> NewAsync(bool softDelete, params (string Path, string Text)[] files)
    {
        var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync(softDelete: softDelete);
        var folder = rig.NewShare();
        foreach (var (path, text) in files) Write(folder, path, text);
        return new(rig, vault, folder, await rig.ProtectShareAsync(vault));
    }

    /// <summary>One that has been backed up as it is.</summary>
    public static async Task<ProtectedShare> BackedUpAsync(params (string Path, string Text)[] files)
    {
        var share = await NewAsync(files);
        Assert.Equal(JobStates.Completed, (await share.BackUpAsync()).State);
        return share;
    }

    public Task<Job> BackUpAsync() => Rig.BackUpAsync(Vault, Item);

    public Task<RecoveryPoint> NewestAsync() => Rig.NewestAsync(Item);

    /// <summary>The item as it is now.</summary>
    public async Task<ProtectedItem> NowAsync() => (await Rig.Items.FindAsync(Item.Key, Rig.Token))!;

    /// <summary>Restores from the newest point.</summary>
    public async Task<Job> RestoreAsync(ExistingFiles existing, (string Account, string Share)? target = null, params SharePart[] parts) =>
        await Rig.RestoreAsync(Vault, Item, await NewestAsync(), existing, target, "", parts);

    public void Write(string path, string text) => Write(Folder, path, text);

    public string Read(string path) => File.ReadAllText(Path.Combine(Folder, path));

    public void Delete(string path) => File.Delete(Path.Combine(Folder, path));

    public ValueTask DisposeAsync() => Rig.DisposeAsync();

    private static void Write(string folder, string path, string text)
    {
        var file = Path.Combine(folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
