using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Strongroom.Identity.Keys;
using Strongroom.Identity.Principals;

namespace Strongroom.Identity.Tests;

/// <summary>A real server on a free port of 127.0.0.1 with TLS, one principal, and one endpoint that needs a token.</summary>
public sealed class IdentityHost : IAsyncLifetime
{
    public const string Secret = "correct horse battery staple/+=";
    public static readonly Guid TenantId = Guid.Parse("6f1cbb1e-90a7-4a0f-8a4e-1d5f3f2b7c01");
    public static readonly Guid ClientId = Guid.Parse("0b2f6c7e-1c55-4b63-8f5c-7f6a3f4d1a02");
    public static readonly Guid ObjectId = Guid.Parse("a7c8c3f0-3c0e-4a59-9a2f-5e0d8b1b9c03");

    private readonly string folder = Directory.CreateTempSubdirectory("strongroom-identity-").FullName;
    private WebApplication? app;

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));

    public SigningKeyRing Keys { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    public string Origin { get; private set; } = "";

    public string KeysFolder => Path.Combine(folder, "identity");

    public async ValueTask InitializeAsync()
    {
        Keys = SigningKeyRing.Open(KeysFolder, Time);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        var certificate = Certificate();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        builder.Services.AddStrongroomIdentity(new IdentityOptions
        {
            TenantId = TenantId,
            Endpoint = new Uri("https://strongroom.test:8443"),
            Keys = Keys,
            Principals = new FixedPrincipalStore([new ServicePrincipal(ClientId, ObjectId, "admin", [SecretHash.Create(Secret)])]),
            Locations = ["home"],
            Time = Time,
        });
        app = builder.Build();
        app.UseStrongroomIdentity();
        app.MapStrongroomIdentity();
        app.MapGet("/subscriptions", (HttpContext context) => context.User.Identity!.Name);
        await app.StartAsync(TestContext.Current.CancellationToken);
        Origin = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        Client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.Equals(certificate) },
        })
        { BaseAddress = new Uri(Origin) };
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        if (app is not null)
            await app.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    public Dictionary<string, string> Form() => new()
    {
        ["grant_type"] = "client_credentials",
        ["client_id"] = ClientId.ToString(),
        ["client_secret"] = Secret,
        ["scope"] = Origin + "//.default",
    };

    public async Task<(HttpStatusCode Status, JsonNode Body)> PostAsync(string path, Dictionary<string, string> form)
    {
        using var content = new FormUrlEncodedContent(form);
        using var answer = await Client.PostAsync(path, content);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!);
    }

    public async Task<string> SignInAsync()
    {
        var (status, body) = await PostAsync("/adfs/oauth2/token", Form());
        Assert.Equal(HttpStatusCode.OK, status);
        return (string)body["access_token"]!;
    }

    public async Task<(HttpResponseMessage Answer, JsonNode? Body)> CallAsync(string? authorization, string path = "/subscriptions", string? host = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (authorization is not null)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        request.Headers.Host = host;
        var answer = await Client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return (answer, text.StartsWith('{') ? JsonNode.Parse(text) : null);
    }

    public static JsonNode Part(string token, int index) =>
        JsonNode.Parse(Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[index])))!;

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
