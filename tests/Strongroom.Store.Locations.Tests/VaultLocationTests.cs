namespace Strongroom.Store.Locations.Tests;

public sealed class VaultLocationTests
{
    [Theory]
    [InlineData("/srv/vault")]
    [InlineData("vault")]
    [InlineData("./a:b")]
    public void A_path_is_a_folder(string text) => Assert.Equal(new FolderLocation(text), VaultLocation.Parse(text));

    [Fact]
    public void Every_form_says_what_it_means()
    {
        Assert.Equal(new FolderLocation("/srv/my vault"), VaultLocation.Parse("file:///srv/my%20vault"));
        Assert.Equal(new AzureBlobLocation("acme01", "backups", "", null), VaultLocation.Parse("azblob://acme01/backups"));
        Assert.Equal(new AzureBlobLocation("acme01", "backups", "site/Vault_1/", null), VaultLocation.Parse("azblob://acme01/backups/site/Vault_1/"));
        Assert.Equal(
            new AzureBlobLocation("acme01", "backups", "v/", new("https://acme01.blob.core.windows.net/")),
            VaultLocation.Parse("https://acme01.blob.core.windows.net/backups/v"));
        Assert.Equal(
            new AzureBlobLocation("acme01", "backups", "v/", new("http://127.0.0.1:10000/acme01")),
            VaultLocation.Parse("http://127.0.0.1:10000/acme01/backups/v/"));
        Assert.Equal(new S3Location("my.bucket-1", "", null, null, false), VaultLocation.Parse("s3://my.bucket-1"));
        Assert.Equal(
            new S3Location("bucket", "a/b/", "eu-central-1", new("https://s3.example.org:9000"), true),
            VaultLocation.Parse("s3://bucket/a/b?region=eu-central-1&endpoint=https://s3.example.org:9000&writers=single"));
        Assert.Equal(new("http://10.0.0.1:9000"), Assert.IsType<S3Location>(VaultLocation.Parse("s3://bucket?endpoint=http%3A%2F%2F10.0.0.1%3A9000")).Endpoint);
    }

    [Theory]
    [InlineData("/srv/vault")]
    [InlineData("azblob://acme01/backups/site")]
    [InlineData("https://acme01.blob.core.windows.net/backups/v")]
    [InlineData("http://127.0.0.1:10000/acme01/backups/v")]
    [InlineData("s3://bucket/a/b?region=eu-central-1&endpoint=https://s3.example.org:9000&writers=single")]
    [InlineData("s3://bucket")]
    public void A_location_is_written_as_it_was_read(string text) => Assert.Equal(text, VaultLocation.Parse(text).ToString());

    [Theory]
    [InlineData("", "empty")]
    [InlineData("a\nb", "control")]
    [InlineData("ftp://server/x", "'ftp' is not known")]
    [InlineData("file://server/x", "file:///path")]
    [InlineData("azblob://acme01", "azblob://account/container/prefix")]
    [InlineData("azblob://Acme/backups", "storage account's name")]
    [InlineData("azblob://acme01/b_ps", "container's name")]
    [InlineData("azblob://acme01/backups/a//b", "prefix")]
    [InlineData("azblob://acme01/backups/../other", "prefix")]
    [InlineData("azblob://acme01/backups?x=1", "no parameters")]
    [InlineData("http://acme01.blob.core.windows.net/backups", "https://")]
    [InlineData("https://acme01.blob.core.windows.net", "container's name")]
    [InlineData("s3://", "s3://bucket/prefix")]
    [InlineData("s3://b", "s3://bucket/prefix")]
    [InlineData("s3://bucket/a b", "prefix")]
    [InlineData("s3://bucket?regoin=x", "'regoin' is no parameter")]
    [InlineData("s3://bucket?writers=many", "'single' only")]
    [InlineData("s3://bucket?endpoint=example.org", "not a server")]
    [InlineData("s3://bucket?endpoint=https://h/path", "not a server")]
    public void What_is_no_location_is_refused_with_the_reason(string text, string reason)
    {
        var failure = Assert.Throws<StoreException>(() => VaultLocation.Parse(text));
        Assert.Equal(StoreErrorKind.InvalidRequest, failure.Kind);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://acme01.blob.core.windows.net/backups?sv=2024&sig=hunter2", "AZURE_STORAGE_SAS_TOKEN")]
    [InlineData("s3://me:hunter2@bucket/x", "credentials")]
    [InlineData("s3://bucket?secret_key=hunter2", "AWS_SECRET_ACCESS_KEY")]
    [InlineData("s3://bucket?other=hunter2", "no parameter")]
    public void A_secret_is_refused_and_not_repeated(string text, string reason)
    {
        var failure = Assert.Throws<StoreException>(() => VaultLocation.Parse(text));
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_opens_as_a_local_back_end()
    {
        var folder = Directory.CreateTempSubdirectory("strongroom-location-");
        try
        {
            using var place = VaultPlace.Open(VaultLocation.Parse(Path.Combine(folder.FullName, "vault")), null, TimeProvider.System);
            Assert.IsType<LocalBackend>(place.Backend);
            Assert.True(await place.Backend.PutIfAbsentAsync("log/1", new byte[3], TestContext.Current.CancellationToken));
            Assert.True(File.Exists(Path.Combine(folder.FullName, "vault", "log", "1")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_budget_stands_before_everything_else()
    {
        using var place = VaultPlace.Open(new FolderLocation("/tmp/none"), new(new(RequestsPerSecond: 1), TimeProvider.System), TimeProvider.System);
        Assert.IsType<BudgetedBackend>(place.Backend);
    }

    [Theory]
    [InlineData("", "", "", "AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN")]
    [InlineData("nonsense", "", "", "not a connection string")]
    [InlineData("DefaultEndpointsProtocol=https;AccountName=other1;AccountKey=a2V5;EndpointSuffix=core.windows.net", "", "", "'other1'")]
    [InlineData("", "!!", "", "not an account's key")]
    public void A_container_without_usable_credentials_says_what_to_set(string connectionString, string key, string signature, string reason)
    {
        var failure = Assert.Throws<StoreException>(() => Open("azblob://acme01/backups", connectionString, key, signature));
        Assert.Equal(StoreErrorKind.AccessDenied, failure.Kind);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DefaultEndpointsProtocol=https;AccountName=acme01;AccountKey=a2V5;EndpointSuffix=core.windows.net", "", "")]
    [InlineData("", "a2V5", "")]
    [InlineData("", "", "?sv=2024&sig=x")]
    public void A_container_opens_with_any_of_the_credentials(string connectionString, string key, string signature)
    {
        using var place = Open("azblob://acme01/backups", connectionString, key, signature);
        Assert.IsType<RetryingBackend>(place.Backend);
    }

    [Fact]
    public void Credentials_of_another_server_are_not_sent_to_the_one_in_the_location()
    {
        var failure = Assert.Throws<StoreException>(() => Open(
            "http://127.0.0.1:10000/acme01/backups", "DefaultEndpointsProtocol=https;AccountName=acme01;AccountKey=a2V5;EndpointSuffix=core.windows.net", "", ""));
        Assert.Contains("127.0.0.1:10000", failure.Message, StringComparison.Ordinal);
    }

    private static VaultPlace Open(string location, string connectionString, string key, string signature) => VaultPlace.Open(
        VaultLocation.Parse(location),
        null,
        name => name switch
        {
            "AZURE_STORAGE_CONNECTION_STRING" => connectionString,
            "AZURE_STORAGE_KEY" => key,
            "AZURE_STORAGE_SAS_TOKEN" => signature,
            _ => null,
        },
        TimeProvider.System);
}
