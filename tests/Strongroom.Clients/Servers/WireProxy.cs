using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Strongroom.Clients.Servers;

/// <summary>
/// A validating proxy in front of a server, when STRONGROOM_WIRE_PROXY names its script: the tests then talk to the
/// server through it, and it writes a report of every exchange that breaks the published API description.
/// wire-check.sh sets the variables; docs/testing.md says what the proxy has to understand.
/// </summary>
internal sealed class WireProxy : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan ReportLimit = TimeSpan.FromMinutes(1);
    private readonly Process _process;

    private WireProxy(Process process, int port, string certificateFile)
    {
        _process = process;
        Endpoint = new Uri($"https://localhost:{port}");
        CertificateFile = certificateFile;
    }

    public static bool IsWanted => !string.IsNullOrEmpty(Script);

    public Uri Endpoint { get; }

    /// <summary>The proxy's own certificate, which its clients have to trust.</summary>
    public string CertificateFile { get; }

    private static string? Script => Environment.GetEnvironmentVariable("STRONGROOM_WIRE_PROXY");

    /// <summary>Starts the proxy and waits until it has read the API description.</summary>
    public static async Task<WireProxy> StartAsync(Uri target, int port, string folder, CancellationToken cancellationToken)
    {
        var (certificate, key) = WriteCertificate(folder);
        var reports = Environment.GetEnvironmentVariable("STRONGROOM_WIRE_REPORTS") ?? folder;
        var start = new ProcessStartInfo("node",
            [
                Script!, "--listen", $"{port}", "--target", target.GetLeftPart(UriPartial.Authority), "--cert", certificate, "--key", key,
                "--specs", Environment.GetEnvironmentVariable("STRONGROOM_WIRE_SPECS") ?? "",
                "--report", Path.Combine(reports, $"report-{port}.json"), "--log", Path.Combine(reports, $"exchanges-{port}.jsonl"),
            ])
        {
            RedirectStandardOutput = true,
        };
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data?.Contains("wire-proxy: https://", StringComparison.Ordinal) == true)
                ready.TrySetResult();
        };
        process.Exited += (_, _) => ready.TrySetException(new InvalidOperationException("The wire proxy ended before it was ready."));
        process.Start();
        process.BeginOutputReadLine();
        await ready.Task.WaitAsync(StartLimit, cancellationToken);
        return new WireProxy(process, port, certificate);
    }

    /// <summary>Ends the proxy, which then writes its report.</summary>
    public async ValueTask DisposeAsync()
    {
        ServerProcess.Terminate(_process);
        using var limit = new CancellationTokenSource(ReportLimit);
        await _process.WaitForExitAsync(limit.Token);
        _process.Dispose();
    }

    private static (string Certificate, string Key) WriteCertificate(string folder)
    {
        using var rsa = RSA.Create(2048);
        var request = new CertificateRequest("CN=wire proxy", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));
        var certificateFile = Path.Combine(folder, "wire-proxy-cert.pem");
        var keyFile = Path.Combine(folder, "wire-proxy-key.pem");
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem() + "\n");
        File.WriteAllText(keyFile, rsa.ExportPkcs8PrivateKeyPem() + "\n");
        return (certificateFile, keyFile);
    }
}
