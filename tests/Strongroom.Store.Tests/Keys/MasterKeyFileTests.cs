using System.Security.Cryptography;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Keys;

public sealed class MasterKeyFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    [Fact]
    public void A_key_file_that_is_not_there_is_no_key_and_none_is_made()
    {
        Assert.Equal(StoreErrorKind.WrongKey, Assert.Throws<StoreException>(() => MasterKeyFile.Load(folder["master.key"])).Kind);
        Assert.False(File.Exists(folder["master.key"]));
    }

    [Fact]
    public async Task A_key_that_was_made_is_found_again_and_only_its_owner_may_read_it()
    {
        var made = MasterKeyFile.LoadOrCreate(folder["keys/master.key"]);
        var found = MasterKeyFile.LoadOrCreate(folder["keys/master.key"]);
        Assert.Equal(made.KeyId, found.KeyId);
        Assert.StartsWith("file:", made.KeyId, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder["keys/master.key"]));
        Assert.Single(Directory.GetFileSystemEntries(folder["keys"]));
        var wrapped = await made.WrapAsync("ring"u8.ToArray(), CancellationToken.None);
        Assert.Equal("ring"u8.ToArray(), await found.UnwrapAsync(wrapped, CancellationToken.None));
    }

    [Fact]
    public async Task Processes_that_race_for_a_new_key_end_with_the_same()
    {
        var keys = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => MasterKeyFile.LoadOrCreate(folder["master.key"]))));
        Assert.Single(keys.Select(key => key.KeyId).Distinct());
    }

    [Fact]
    public async Task What_was_changed_or_wrapped_by_another_key_does_not_unwrap()
    {
        var wrapped = await TestVault.Key.WrapAsync("ring"u8.ToArray(), CancellationToken.None);
        var other = MasterKeyFile.LoadOrCreate(folder["other.key"]);
        await Assert.ThrowsAnyAsync<CryptographicException>(async () => await other.UnwrapAsync(wrapped, CancellationToken.None));
        wrapped[^1] ^= 1;
        await Assert.ThrowsAnyAsync<CryptographicException>(async () => await TestVault.Key.UnwrapAsync(wrapped, CancellationToken.None));
        await Assert.ThrowsAnyAsync<CryptographicException>(async () => await TestVault.Key.UnwrapAsync(new byte[5], CancellationToken.None));
    }

    [Theory]
    [InlineData("")]
    [InlineData("strongroom-master-key-v1\n")]
    [InlineData("strongroom-master-key-v1\nAAAA\n")]
    [InlineData("strongroom-master-key-v2\nAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\n")]
    [InlineData("strongroom-master-key-v1\n!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!\n")]
    public void A_file_that_is_no_key_is_refused_and_never_replaced(string content)
    {
        File.WriteAllText(folder["master.key"], content);
        var failure = Assert.Throws<StoreException>(() => MasterKeyFile.LoadOrCreate(folder["master.key"]));
        Assert.Equal(StoreErrorKind.WrongKey, failure.Kind);
        Assert.Equal(content, File.ReadAllText(folder["master.key"]));
    }

    [Fact]
    public void The_documented_text_is_read()
    {
        File.WriteAllText(folder["master.key"], "strongroom-master-key-v1\nAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\n");
        Assert.Equal(TestVault.Key.KeyId, MasterKeyFile.LoadOrCreate(folder["master.key"]).KeyId);
    }

    [Fact]
    public async Task A_vault_does_not_open_with_another_key_and_says_which_it_needs()
    {
        var backend = new MemoryBackend();
        await (await TestVault.CreateAsync(backend)).DisposeAsync();
        var other = MasterKeyFile.LoadOrCreate(folder["other.key"]);
        var failure = await Assert.ThrowsAsync<StoreException>(
            () => VaultStore.OpenAsync(backend, other, TestVault.Small, TestVault.Clock(), CancellationToken.None));
        Assert.Equal(StoreErrorKind.WrongKey, failure.Kind);
        Assert.Contains(TestVault.Key.KeyId, failure.Message, StringComparison.Ordinal);
    }

    public void Dispose() => folder.Dispose();
}
