namespace Strongroom.Cli.Tests.Store;

/// <summary>Where a vault or its copy may be made.</summary>
public sealed class PlaceTests
{
    [Fact]
    public async Task A_folder_with_other_files_becomes_no_vault_and_no_copy()
    {
        using var lab = await StoreLab.WithVaultAsync();
        Directory.CreateDirectory(lab["home"]);
        await File.WriteAllTextAsync(lab["home/notes.txt"], "mine", TestContext.Current.CancellationToken);
        Assert.Contains("'notes.txt'", (await lab.FailAsync(2, "init", lab["home"])).Message, StringComparison.Ordinal);
        Assert.Contains("'notes.txt'", (await lab.FailAsync(2, "copy", lab.Vault, lab["home"])).Message, StringComparison.Ordinal);
        Assert.Equal([lab["home/notes.txt"]], Directory.GetFileSystemEntries(lab["home"]));
    }

    [Fact]
    public async Task A_new_disk_and_a_copy_that_was_begun_are_free()
    {
        using var lab = await StoreLab.WithVaultAsync();
        Directory.CreateDirectory(lab["disk/lost+found"]);
        await lab.DoAsync("copy", lab.Vault, lab["disk"]);
        File.Delete(lab["disk/vault.json"]);
        await lab.DoAsync("copy", lab.Vault, lab["disk"]);
        await lab.DoAsync("list", lab["disk"]);
        Directory.CreateDirectory(lab["other/lost+found"]);
        await lab.DoAsync("init", lab["other"]);
    }

    [Fact]
    public async Task A_trial_of_a_folder_leaves_it_as_it_was()
    {
        using var lab = await StoreLab.WithVaultAsync();
        Directory.CreateDirectory(lab["place"]);
        Assert.True((bool)(await lab.DoAsync("verify-backend", lab["place"]))["conforming"]!);
        Assert.Empty(Directory.GetFileSystemEntries(lab["place"]));
        var before = Directory.GetFileSystemEntries(lab.Vault).Order(StringComparer.Ordinal).ToList();
        await lab.DoAsync("verify-backend", lab.Vault);
        Assert.Equal(before, Directory.GetFileSystemEntries(lab.Vault).Order(StringComparer.Ordinal));
    }
}
