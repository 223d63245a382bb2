using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Strongroom.Blocks.Tests.Nbd.Server;

namespace Strongroom.Blocks.Tests.Iscsi;

/// <summary>libiscsi's tools and qemu as initiators (Debian packages libiscsi-bin, qemu-block-extra).</summary>
public sealed partial class ConformanceTests
{
    private const int DiskBytes = 64 << 20;

    /// <summary>What fails by intent; docs/iscsi.md says why.</summary>
    private static readonly string[] FailuresOfWritable = ["WriteSame10.UnmapUntilEnd"];

    /// <summary>Suites that write in each test, or most.</summary>
    private static readonly string[] NotForReadOnly =
    [
        "CompareAndWrite", "ExtendedCopy", "OrWrite", "ProutReserve", "Unmap", "Write10", "Write12", "Write16", "WriteAtomic16", "WriteSame10", "WriteSame16",
        "WriteVerify10", "WriteVerify12", "WriteVerify16", "iSCSIResiduals", "iSCSIdatasn", "iSCSITMF", "MultipathIO",
    ];

    [Fact]
    public async Task Every_suite_of_iscsi_test_cu_passes_on_a_writable_unit()
    {
        var failures = await RunSuitesAsync(isReadOnly: false, await SuitesAsync());
        Assert.Equal(FailuresOfWritable, failures.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_suite_that_reads_passes_on_a_read_only_unit() =>
        Assert.Empty(await RunSuitesAsync(isReadOnly: true, (await SuitesAsync()).Except(NotForReadOnly)));

    /// <summary>On zeros: the suite's COMPARE AND WRITE compares block 256 with zeros, and makes only those before it zeros.</summary>
    [Fact]
    public async Task Two_sessions_share_a_unit()
    {
        Programs.RequirePeer("iscsi-test-cu");
        await using var lab = new IscsiLab(new byte[DiskBytes], shares: true);
        var output = await Programs.RunAsync("timeout", "60", "iscsi-test-cu", "--dataloss", "--normal", "--test", "ALL.MultipathIO", lab.UrlOf(0), lab.UrlOf(0));
        Assert.Contains("Run Summary", output, StringComparison.Ordinal);
        Assert.DoesNotContain("SKIPPED", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Write16")]
    [InlineData("Read16")]
    [InlineData("iSCSIResiduals")]
    public async Task Data_go_both_ways_with_digests_and_mutual_chap(string suite)
    {
        Programs.RequirePeer("iscsi-test-cu");
        await using var lab = new IscsiLab(new byte[DiskBytes], shares: true);
        var url = lab.UrlOf(0, $"?header_digest=crc32c&data_digest=crc32c&target_user={IscsiLab.SelfUser}&target_password={IscsiLab.SelfSecret}");
        var output = await Programs.RunAsync("timeout", "60", "iscsi-test-cu", "--dataloss", "--normal", "--test", $"ALL.{suite}", url);
        Assert.Contains("Run Summary", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Qemu_reads_every_disk_as_it_is_with_chap_both_ways()
    {
        Programs.RequirePeer("qemu-img");
        Programs.RequirePeer("iscsi-ls");
        if (Directory.GetFiles("/usr/lib", "block-iscsi.so", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3, IgnoreInaccessible = true }).Length == 0)
            Programs.Missing("qemu-block-extra");
        await using var lab = new IscsiLab(ServerLab.Sample(8 << 20));
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder["disk"], lab.Content);
        foreach (var lun in (int[])[0, 5])
        {
            var mutual = $"?target_user={IscsiLab.SelfUser}&target_password={IscsiLab.SelfSecret}";
            await Programs.RunAsync("qemu-img", "compare", "-f", "raw", "-F", "raw", folder["disk"], lab.UrlOf(lun, mutual));
        }

        await Programs.RunAsync("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", folder["disk"], lab.UrlOf(0));
        Assert.Equal(lab.Content, await Sources.ReadAllAsync(lab.Disk));
    }

    [Fact]
    public async Task Libiscsi_finds_the_units_and_is_refused_without_the_secret()
    {
        Programs.RequirePeer("iscsi-ls");
        Programs.RequirePeer("iscsi-inq");
        await using var lab = new IscsiLab(ServerLab.Sample());
        var list = await Programs.RunAsync("iscsi-ls", "-s", $"iscsi://{IscsiLab.User}%{IscsiLab.Secret}@{lab.Server.EndPoint}");
        Assert.Contains($"Target:{IscsiLab.TargetName} Portal:{lab.Server.EndPoint},1", list, StringComparison.Ordinal);
        Assert.Contains("Lun:5", list, StringComparison.Ordinal);
        Assert.Contains("Vendor:STRONGRM", await Programs.RunAsync("iscsi-inq", lab.UrlOf(5)), StringComparison.Ordinal);
        var digests = await Programs.RunAsync("iscsi-readcapacity16", lab.UrlOf(0, "?header_digest=crc32c&data_digest=crc32c"));
        Assert.Contains("RETURNED LOGICAL BLOCK ADDRESS:2047", digests, StringComparison.Ordinal);
        foreach (var url in (string[])[lab.UrlOf(0, secret: "not-the-secret"), lab.UrlOf(0, "?target_user=target&target_password=not-the-secret")])
        {
            var (exitCode, output) = await Programs.TryRunAsync("iscsi-inq", url);
            Assert.NotEqual(0, exitCode);
            Assert.DoesNotContain("Vendor", output, StringComparison.Ordinal);
        }
    }

    private static async Task<string[]> SuitesAsync()
    {
        Programs.RequirePeer("iscsi-test-cu");
        var list = await Programs.RunAsync("iscsi-test-cu", "--list");
        string[] suites = [.. SuiteLine().Matches(list).Select(match => match.Groups[1].Value)];
        Assert.InRange(suites.Length, 50, 100);
        return suites;
    }

    /// <summary>Each suite in a process of its own, on a server of its own; returns the tests that failed.</summary>
    private static async Task<IReadOnlyCollection<string>> RunSuitesAsync(bool isReadOnly, IEnumerable<string> suites)
    {
        var failures = new ConcurrentBag<string>();
        var content = ServerLab.Sample(DiskBytes);
        await Parallel.ForEachAsync(suites, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (suite, _) =>
        {
            await using var lab = new IscsiLab(content, isReadOnly, shares: true);
            var (exitCode, output) = await Programs.TryRunAsync("timeout", "120", "iscsi-test-cu", "--dataloss", "--normal", "--test", $"ALL.{suite}", lab.UrlOf(0));
            var failed = FailedTest().Matches(output).Select(match => $"{suite}.{match.Groups[1].Value}").ToList();
            if (failed.Count == 0 && (exitCode != 0 || !output.Contains("Run Summary", StringComparison.Ordinal)))
                failed.Add($"{suite} (exit code {exitCode}): {output}");
            failed.ForEach(failures.Add);
            Assert.True(content.AsSpan().SequenceEqual(lab.Content), "The disk was written.");
        });
        return failures;
    }

    [GeneratedRegex(@"^ALL\.([^.\n]+)$", RegexOptions.Multiline)]
    private static partial Regex SuiteLine();

    [GeneratedRegex("^Suite .+, Test (.+) had failures:", RegexOptions.Multiline)]
    private static partial Regex FailedTest();
}
