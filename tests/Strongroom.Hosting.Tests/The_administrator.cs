using System.Text.Json.Nodes;

namespace Strongroom.Hosting.Tests;

public sealed class The_administrator : IDisposable
{
    private static readonly Uri Endpoint = new("https://localhost:8443");
    private readonly TemporaryFolder temporary = new();
    private readonly DataFolder data;

    public The_administrator() => data = DataFolder.Open(temporary["it's data"]);

    public void Dispose()
    {
        data.Dispose();
        temporary.Dispose();
    }

    [Fact]
    public async Task Is_made_once_and_read_again()
    {
        var first = Administrator.Open(data, Endpoint, "/ca.pem");
        var second = Administrator.Open(data, Endpoint, "/ca.pem");

        Assert.Equal(AtomicFile.Private, File.GetUnixFileMode(data.AdministratorFile));
        Assert.Equal(
            (first.TenantId, first.SubscriptionId, first.ClientId, first.ObjectId, first.ClientSecret),
            (second.TenantId, second.SubscriptionId, second.ClientId, second.ObjectId, second.ClientSecret));
        Assert.Equal(43, first.ClientSecret.Length);
        var json = JsonNode.Parse(await File.ReadAllTextAsync(data.AdministratorFile, TestContext.Current.CancellationToken))!.AsObject();
        Assert.Equal(
            ["endpoint", "tenantId", "subscriptionId", "clientId", "objectId", "clientSecret", "caFile"], json.Select(property => property.Key));
        Assert.Equal("https://localhost:8443", (string?)json["endpoint"]);
        Assert.Equal("/ca.pem", (string?)json["caFile"]);
    }

    [Fact]
    public void Follows_the_address_and_keeps_everything_else()
    {
        var first = Administrator.Open(data, Endpoint, "/ca.pem");
        var second = Administrator.Open(data, new Uri("https://backup.example:443/"), null);
        var third = Administrator.Read(data.AdministratorFile);

        Assert.Equal("https://backup.example", third.Endpoint.GetLeftPart(UriPartial.Authority));
        Assert.Null(third.CaFile);
        Assert.Equal((first.ClientSecret, first.SubscriptionId), (third.ClientSecret, third.SubscriptionId));
        Assert.Equal(second.ClientId, third.ClientId);
        Assert.Equal(AtomicFile.Private, File.GetUnixFileMode(data.AdministratorFile));
    }

    [Fact]
    public void Can_sign_in_with_the_secret_and_with_nothing_else()
    {
        var administrator = Administrator.Open(data, Endpoint, null);
        var principal = administrator.ToServicePrincipal();

        Assert.True(principal.Accepts(administrator.ClientSecret));
        Assert.False(principal.Accepts(administrator.ClientSecret + "="));
        Assert.False(principal.Accepts(""));
        Assert.Equal((administrator.ClientId, administrator.ObjectId), (principal.ClientId, principal.ObjectId));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"endpoint":"https://localhost"}""")]
    [InlineData("""{"endpoint":"https://x","tenantId":1,"subscriptionId":"","clientId":"","objectId":"","clientSecret":""}""")]
    public void A_file_that_is_damaged_is_named_and_never_made_anew(string text)
    {
        File.WriteAllText(data.AdministratorFile, text);
        var error = Assert.Throws<InvalidDataException>(() => Administrator.Open(data, Endpoint, null));

        Assert.Contains("admin.json", error.Message, StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(data.AdministratorFile));
    }

    [Fact]
    public void A_file_that_is_missing_beside_a_database_is_not_made_anew()
    {
        File.WriteAllText(data.DatabaseFile, "SQLite format 3");
        Assert.Throws<InvalidDataException>(() => Administrator.Open(data, Endpoint, null));
        Assert.False(File.Exists(data.AdministratorFile));
    }

    [Fact]
    public async Task The_lines_for_az_hold_no_secret_and_yet_hand_it_over()
    {
        var administrator = Administrator.Open(data, Endpoint, Path.Combine(data.TlsFolder, "ca.pem"));
        var lines = AzInstructions.Lines(administrator, data.AdministratorFile, "home");

        Assert.Equal(4, lines.Count);
        Assert.DoesNotContain(lines, line => line.Contains(administrator.ClientSecret, StringComparison.Ordinal));
        Assert.DoesNotContain(administrator.ClientSecret, administrator.ToString(), StringComparison.Ordinal);

        // As a shell reads them, with programs in az's place that show what reached them; the path has a quote and a blank.
        var script = "az() { echo \"az $*\"; case \"$*\" in *@-*) cat;; esac; }\n" + string.Join('\n', lines) + "\necho \"$REQUESTS_CA_BUNDLE\"\n";
        var (exitCode, output) = await Programs.RunAsync("sh", "-c", script);
        Assert.Equal(0, exitCode);
        Assert.Equal(
            [
                "az cloud register -n home --endpoint-resource-manager https://localhost:8443",
                "az cloud set -n home",
                $"az login --service-principal -u {administrator.ClientId} -p @- --tenant {administrator.TenantId}",
                administrator.ClientSecret,
                administrator.CaFile!,
            ],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
