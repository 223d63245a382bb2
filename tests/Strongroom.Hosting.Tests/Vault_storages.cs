using Strongroom.Backup;
using Strongroom.Backup.Vaults;
using Strongroom.Server;
using Strongroom.Store;
using Strongroom.Store.Locations;

namespace Strongroom.Hosting.Tests;

public sealed class Vault_storages : IDisposable
{
    private static readonly Guid Key = Guid.Parse("0123456789abcdef0123456789abcdef");
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("offsite=s3://bucket/vaults?region=eu-1", "s3://bucket/vaults/0123456789abcdef0123456789abcdef?region=eu-1")]
    [InlineData("cloud=azblob://acme01/backups", "azblob://acme01/backups/0123456789abcdef0123456789abcdef")]
    [InlineData("nas=/mnt/nas", "/mnt/nas/0123456789abcdef0123456789abcdef")]
    public void Each_vault_has_a_place_of_its_own_below_its_storage(string option, string place)
    {
        var storage = NamedStorage.Parse(option);

        Assert.Equal(new VaultStorage(storage.Name, place), Places(null, storage).Choose(Key, storage.Name));
        Assert.Equal(new VaultStorage(null, place), Places(storage.Location).Choose(Key, null));
        Assert.Null(Places(null, storage).Choose(Key, null));
    }

    [Theory]
    [InlineData("offsite")]
    [InlineData("=s3://bucket/vaults")]
    [InlineData("a b=/mnt/nas")]
    public void An_option_that_names_no_storage_is_refused(string option) => Assert.Throws<ArgumentException>(() => NamedStorage.Parse(option));

    [Theory]
    [InlineData("/etc")]
    [InlineData("s3://bucket/vaults")]
    [InlineData("NAS")]
    public void A_name_that_is_not_configured_reaches_nothing(string name)
    {
        var refused = Assert.Throws<BackupRefusedException>(() => Places(null, NamedStorage.Parse("nas=/mnt/nas")).Choose(Key, name));
        Assert.Contains("it has nas", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_storage_that_has_moved_is_followed_by_its_name_and_any_other_place_stays_as_it_was_recorded()
    {
        var places = Places(null, new NamedStorage("nas", new FolderLocation(folder["new"])));

        using var moved = places.Open(Key, new("nas", folder["old/place"]));
        using var unknown = places.Open(Key, new("gone", folder["old/place"]));
        using var own = places.Open(Key, null);

        Assert.Equal(Path.Combine(folder["new"], Key.ToString("N")), moved.Text);
        Assert.Equal(folder["old/place"], unknown.Text);
        Assert.Equal(Path.Combine(folder["vaults"], Key.ToString("N")), own.Text);
    }

    [Fact]
    public async Task A_storage_that_is_not_there_is_told_by_its_name()
    {
        var places = Places(new FolderLocation(folder["gone"]), new NamedStorage("nas", new FolderLocation(folder.Root)));

        var (name, why) = Assert.Single(await places.FindUnreachableAsync(TestContext.Current.CancellationToken));

        Assert.Equal("default", name);
        Assert.Contains(folder["gone"], why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cloud_storage_without_credentials_says_what_is_missing()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("AZURE_STORAGE_CONNECTION_STRING") is not null || Environment.GetEnvironmentVariable("AZURE_STORAGE_KEY") is not null, "there are credentials");
        var failure = Assert.Throws<StoreException>(() => Places(null).Open(Key, new(null, "azblob://acme01/backups/v")));
        Assert.Equal(StoreErrorKind.AccessDenied, failure.Kind);
    }

    private ConfiguredPlaces Places(VaultLocation? standard, params NamedStorage[] named) => new(new FolderPlaces(folder["vaults"]), standard, named, new(new BackendLimits(), TimeProvider.System), TimeProvider.System);
}
