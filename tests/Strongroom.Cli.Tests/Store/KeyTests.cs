using System.Security.Cryptography;

namespace Strongroom.Cli.Tests.Store;

public sealed class KeyTests
{
    [Fact]
    public async Task A_passphrase_opens_a_vault_that_was_made_with_it()
    {
        using var lab = new StoreLab();
        lab.Environment["STRONGROOM_KEY_FILE"] = null;
        lab.Environment["STRONGROOM_PASSPHRASE"] = "correct horse battery staple";
        var made = await lab.DoAsync("init", lab.Vault);
        Assert.Null(made["keyFile"]);
        await lab.DoAsync("list", lab.Vault);
        lab.Environment["STRONGROOM_PASSPHRASE"] = "correct horse battery stable";
        Assert.Equal("WrongKey", (await lab.FailAsync(1, "list", lab.Vault)).Code);
        Assert.Empty(Directory.GetFiles(lab[""]));
    }

    [Fact]
    public async Task A_key_is_added_replaced_and_removed()
    {
        using var lab = await StoreLab.WithVaultAsync();
        var two = await lab.DoAsync("key", "wrap", lab.Vault, "--new-key-file", lab["key2"]);
        Assert.Equal(2, two["keys"]!.AsArray().Count);
        var old = (string)two["keys"]![0]!["keyId"]!;
        await lab.DoAsync("list", lab.Vault, "--key-file", lab["key2"]);

        lab.Environment["STRONGROOM_NEW_PASSPHRASE"] = "a new one of words";
        await lab.FailAsync(2, "key", "wrap", lab.Vault);
        await lab.FailAsync(2, "key", "wrap", lab.Vault, "--new-key-file", lab.Vault);
        await lab.DoAsync("key", "wrap", lab.Vault, "--new-passphrase", "--replace", old, "--other-key-file", lab["key2"]);
        Assert.Equal("WrongKey", (await lab.FailAsync(1, "list", lab.Vault)).Code);
        lab.Environment["STRONGROOM_KEY_FILE"] = null;
        lab.Environment["STRONGROOM_PASSPHRASE"] = "a new one of words";
        var second = (string)(await lab.DoAsync("key", "list", lab.Vault))["keys"]!.AsArray().Single(key => (string)key!["kind"]! == "file")!["keyId"]!;
        await lab.DoAsync("key", "remove", lab.Vault, second);
        Assert.Equal("WrongKey", (await lab.FailAsync(1, "list", lab.Vault, "--key-file", lab["key2"])).Code);
        await lab.DoAsync("list", lab.Vault);
    }

    [Fact]
    public async Task A_short_passphrase_is_not_taken_for_what_is_new()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.Environment["STRONGROOM_NEW_PASSPHRASE"] = "elevenchars";
        Assert.Contains("12 characters", (await lab.FailAsync(2, "key", "wrap", lab.Vault, "--new-passphrase")).Message, StringComparison.Ordinal);
        Assert.Single((await lab.DoAsync("key", "list", lab.Vault))["keys"]!.AsArray());
        lab.Environment["STRONGROOM_KEY_FILE"] = null;
        lab.Environment["STRONGROOM_PASSPHRASE"] = "elevenchars";
        Assert.Contains("12 characters", (await lab.FailAsync(2, "init", lab["other"])).Message, StringComparison.Ordinal);
        Assert.False(Path.Exists(lab["other"]));
    }

    [Fact]
    public async Task A_folder_is_no_key_file()
    {
        using var lab = await StoreLab.WithVaultAsync();
        Assert.Contains("is a folder", (await lab.FailAsync(2, "list", lab.Vault, "--key-file", lab.Vault)).Message, StringComparison.Ordinal);
        Assert.Contains("is a folder", (await lab.FailAsync(2, "init", lab["other"], "--key-file", lab.Vault)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_private_half_of_an_escrow_key_opens_the_vault()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 20, seed: 1);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        using var key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        await File.WriteAllTextAsync(lab["public.pem"], key.ExportSubjectPublicKeyInfoPem());
        await File.WriteAllTextAsync(
            lab["private.pem"], key.ExportEncryptedPkcs8PrivateKeyPem("sesame", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)));
        await lab.DoAsync("key", "escrow", lab.Vault, "--public-key", lab["public.pem"]);

        // The data key made after the escrow is in it, too.
        var rotated = await lab.DoAsync("key", "rotate", lab.Vault);
        Assert.Equal(2, (int)rotated["epoch"]!);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"], "--item", "again");
        lab.Environment["STRONGROOM_KEY_FILE"] = lab["private.pem"];
        lab.Environment["STRONGROOM_ESCROW_PASSWORD"] = "sesame";
        await lab.DoAsync("restore", lab.Vault, "--snapshot", "latest", "--to", lab["back.raw"]);
        Assert.Equal(await File.ReadAllBytesAsync(lab["a.raw"]), await File.ReadAllBytesAsync(lab["back.raw"]));
    }

    [Fact]
    public async Task Keys_are_destroyed_only_when_the_right_vault_is_named()
    {
        using var lab = await StoreLab.WithVaultAsync();
        var id = (string)(await lab.DoAsync("stats", lab.Vault))["vaultId"]!;
        await lab.FailAsync(1, "key", "erase", lab.Vault, "--confirm", Guid.NewGuid().ToString());
        await lab.DoAsync("list", lab.Vault);
        await lab.DoAsync("key", "erase", lab.Vault, "--confirm", id);
        Assert.NotEqual(0, (await lab.RunAsync("list", lab.Vault)).ExitCode);
    }
}
