using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Strongroom.Hosting.Tests;

public sealed class Tls_certificates : IDisposable
{
    private readonly TemporaryFolder temporary = new();
    private readonly FakeTimeProvider time = new(TimeProvider.System.GetUtcNow());

    public void Dispose() => temporary.Dispose();

    [Fact]
    public void The_first_start_makes_an_authority_and_a_certificate_that_strict_clients_accept()
    {
        using var tls = Open("backup.example", "10.1.2.3");

        Assert.Equal(AtomicFile.Private, File.GetUnixFileMode(temporary["ca.key"]));
        Assert.Equal(AtomicFile.Private, File.GetUnixFileMode(temporary["server.key"]));
        Assert.Equal(temporary["ca.pem"], tls.AuthorityFile);
        Assert.Empty(tls.Notes);

        using var authority = X509CertificateLoader.LoadCertificateFromFile(temporary["ca.pem"]);
        var constraints = authority.Extensions.OfType<X509BasicConstraintsExtension>().Single();
        Assert.True(constraints is { Critical: true, CertificateAuthority: true, HasPathLengthConstraint: true, PathLengthConstraint: 0 });
        Assert.Equal(
            X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, authority.Extensions.OfType<X509KeyUsageExtension>().Single().KeyUsages);
        var names = tls.Server.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        Assert.Equal(["backup.example", "localhost", "machine-1"], names.EnumerateDnsNames());
        Assert.Equal(["10.1.2.3", "127.0.0.1", "::1"], names.EnumerateIPAddresses().Select(address => address.ToString()));
        Assert.Equal(
            authority.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single().SubjectKeyIdentifierBytes.ToArray(),
            tls.Server.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().Single().KeyIdentifier!.Value.ToArray());

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        Assert.True(chain.Build(tls.Server), string.Join(", ", chain.ChainStatus.Select(status => status.StatusInformation)));
    }

    [Fact]
    public async Task Openssl_verifies_the_chain_strictly_and_by_name()
    {
        Open("backup.example").Dispose();
        foreach (var name in (string[][])[["-verify_hostname", "localhost"], ["-verify_hostname", "backup.example"], ["-verify_ip", "127.0.0.1"], ["-verify_ip", "::1"]])
        {
            var (exitCode, output) = await Programs.RunAsync(
                "openssl", ["verify", "-x509_strict", "-purpose", "sslserver", .. name, "-CAfile", temporary["ca.pem"], temporary["server.pem"]]);
            Assert.True(exitCode == 0, output);
        }

        var (foreign, _) = await Programs.RunAsync(
            "openssl", "verify", "-verify_hostname", "other.example", "-CAfile", temporary["ca.pem"], temporary["server.pem"]);
        Assert.NotEqual(0, foreign);
    }

    [Fact]
    public async Task A_client_that_trusts_the_authority_alone_connects()
    {
        using var tls = Open();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(tls.Configure)));
        await using var app = builder.Build();
        app.MapGet("/", () => "served");
        await app.StartAsync(TestContext.Current.CancellationToken);
        var port = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;

        var options = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck },
        };
        options.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(tls.AuthorityFile!);
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = options });
        Assert.Equal("served", await client.GetStringAsync(new Uri($"https://localhost:{port}/"), TestContext.Current.CancellationToken));
        Assert.Equal("served", await client.GetStringAsync(new Uri($"https://127.0.0.1:{port}/"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_later_start_shows_the_same_certificate()
    {
        using var first = Open("a.example");
        time.Advance(TimeSpan.FromDays(300));
        using var second = Open("a.example");

        Assert.Equal(first.Server.Thumbprint, second.Server.Thumbprint);
        Assert.True(second.Server.HasPrivateKey);
        Assert.Empty(second.Notes);
    }

    [Fact]
    public void The_certificate_is_renewed_under_the_same_authority_when_a_month_is_left()
    {
        using var first = Open();
        var authority = File.ReadAllText(temporary["ca.pem"]);
        time.Advance(TimeSpan.FromDays(397 - 29));
        using var second = Open();

        Assert.NotEqual(first.Server.Thumbprint, second.Server.Thumbprint);
        Assert.True(second.Server.NotAfter - time.GetUtcNow() > TimeSpan.FromDays(390));
        Assert.Equal(authority, File.ReadAllText(temporary["ca.pem"]));
        Assert.Single(second.Notes);
    }

    [Fact]
    public void Other_names_get_another_certificate()
    {
        using var first = Open("a.example");
        using var second = Open("a.example", "b.example");
        using var third = Open("B.example", "a.EXAMPLE");

        Assert.NotEqual(first.Server.Thumbprint, second.Server.Thumbprint);
        Assert.Equal(second.Server.Thumbprint, third.Server.Thumbprint);
    }

    [Fact]
    public void An_authority_about_to_expire_is_replaced_and_the_operator_told()
    {
        using var first = Open();
        time.Advance(TimeSpan.FromDays(3650 - 10));
        using var second = Open();

        Assert.Contains(second.Notes, note => note.Contains("ca.pem", StringComparison.Ordinal));
        Assert.NotEqual(first.Chain.Single().Thumbprint, second.Chain.Single().Thumbprint);
        Assert.Equal(second.Chain.Single().Subject, second.Server.Issuer);
    }

    [Fact]
    public void No_certificate_outlives_its_authority()
    {
        Open().Dispose();
        time.Advance(TimeSpan.FromDays(3650 - 100));
        using var late = Open();
        Assert.Equal(late.Chain.Single().NotAfter, late.Server.NotAfter);
    }

    [Fact]
    public void What_a_crash_between_two_files_leaves_is_repaired()
    {
        using var first = Open();
        File.Delete(temporary["server.pem"]);
        using var second = Open();
        using (var stray = ECDsa.Create(ECCurve.NamedCurves.nistP256))
            File.WriteAllText(temporary["server.key"], stray.ExportPkcs8PrivateKeyPem());
        using var third = Open();
        Assert.Equal(3, new[] { first, second, third }.Select(tls => tls.Server.Thumbprint).Distinct().Count());

        File.Delete(temporary["ca.pem"]);
        using var fourth = Open();
        Assert.Equal(fourth.Chain.Single().Subject, fourth.Server.Issuer);
    }

    [Fact]
    public void An_authority_that_clients_trust_is_not_replaced_because_its_key_is_gone()
    {
        Open().Dispose();
        File.Delete(temporary["ca.key"]);
        var trusted = File.ReadAllText(temporary["ca.pem"]);

        var error = Assert.Throws<InvalidDataException>(() => Open());
        Assert.Contains("ca.key", error.Message, StringComparison.Ordinal);
        Assert.Equal(trusted, File.ReadAllText(temporary["ca.pem"]));
    }

    [Fact]
    public void A_supplied_certificate_is_shown_as_it_is_and_never_written()
    {
        using (var other = new TemporaryFolder())
        {
            using var made = TlsCertificates.Open(other.Root, TlsNames.Of("elsewhere", []), "elsewhere", time);
            File.WriteAllText(temporary["server.pem"], File.ReadAllText(other["server.pem"]) + File.ReadAllText(other["ca.pem"]));
            File.Copy(other["server.key"], temporary["server.key"]);
        }

        File.WriteAllText(temporary["server.supplied"], "");
        var before = File.ReadAllText(temporary["server.pem"]);
        time.Advance(TimeSpan.FromDays(390));
        using var tls = Open("a.example");

        Assert.Equal(before, File.ReadAllText(temporary["server.pem"]));
        Assert.Single(tls.Chain);
        Assert.True(tls.Server.HasPrivateKey);
        Assert.Null(tls.AuthorityFile);
        Assert.False(File.Exists(temporary["ca.pem"]));
        Assert.Contains(tls.Notes, note => note.Contains("expires", StringComparison.Ordinal));

        File.WriteAllText(temporary["server.key"], "no key");
        Assert.Contains("server.supplied", Assert.Throws<InvalidDataException>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("")]
    [InlineData("https://x")]
    [InlineData("a.example:443")]
    [InlineData("*")]
    [InlineData("a.*.example")]
    public void A_name_that_no_certificate_can_hold_is_refused_by_name(string name)
    {
        var error = Assert.Throws<ArgumentException>(() => TlsNames.Of("machine", [name]));
        Assert.Contains($"'{name}'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_are_written_as_certificates_hold_them()
    {
        var names = TlsNames.Of("not_a_dns name", ["Bücher.Example", "*.Lab.example", "[fe80::1]"]);
        Assert.Equal(["*.lab.example", "localhost", "xn--bcher-kva.example"], names.Hosts.Order(StringComparer.Ordinal));
        Assert.Contains(IPAddress.Parse("fe80::1"), names.Addresses);
    }

    private TlsCertificates Open(params string[] names) =>
        TlsCertificates.Open(temporary.Root, TlsNames.Of("Machine-1", names), "Machine-1", time);
}
