using Microsoft.Extensions.Time.Testing;

namespace Strongroom.Store.Tests.Fakes;

/// <summary>Short ways to store and restore folders.</summary>
internal static class StoredTrees
{
    /// <summary>A clock so far ahead that every file is settled.</summary>
    public static readonly TreeOptions Settled = new() { Clock = new FakeTimeProvider(new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero)) };

    public static async Task<(TreeBackupResult Result, SessionStatistics Statistics)> StoreTreeAsync(
        this VaultStore vault, string folder, TreeRef? parent = null, TreeOptions? options = null)
    {
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        var result = await session.WriteTreeAsync(folder, parent, options ?? Settled, null, CancellationToken.None);
        await session.CommitAsync(TestVault.Draft() with { Trees = [new(folder, result.Tree)] }, CancellationToken.None);
        return (result, session.Statistics);
    }

    public static Task<TreeRestoreResult> RestoreTreeAsync(
        this VaultStore vault, TreeRef tree, string target, string path = "", ExistingFiles existing = ExistingFiles.Refuse) =>
        vault.RestoreTreePathAsync(tree, TreePath.Of(path), target, new() { Existing = existing }, null, CancellationToken.None);

    /// <summary>Each selection as <c>path</c>, to its own place, or as <c>path > folder</c>.</summary>
    public static Task<TreeRestoreResult> RestorePartsAsync(
        this VaultStore vault, TreeRef tree, string target, ExistingFiles existing, params string[] selections) =>
        vault.RestoreTreeAsync(tree, [.. selections.Select(Selection)], target, new() { Existing = existing }, null, CancellationToken.None);

    private static TreeSelection Selection(string text)
    {
        var parts = text.Split('>', StringSplitOptions.TrimEntries);
        return new(TreePath.Of(parts[0]), TreePath.Of(parts.Length > 1 ? parts[1] : Path.GetDirectoryName(parts[0]) ?? ""));
    }

    public static async Task<List<TreeEntry>> ListAsync(this VaultStore vault, TreeRef tree, string path = "")
    {
        var entries = new List<TreeEntry>();
        await foreach (var entry in vault.ListTreeAsync(tree, TreePath.Of(path), CancellationToken.None))
            entries.Add(entry);
        return entries;
    }
}
