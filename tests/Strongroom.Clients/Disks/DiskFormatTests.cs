using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Disks;

/// <summary>Disks in the formats that hypervisors write, made by qemu-img, come back as the bytes that qemu reads from them.</summary>
public sealed class DiskFormatTests : IDisposable
{
    private const string Account = "restores1";
    private const int LengthMiB = 16;
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory(Timeout = 1_800_000)]
    [InlineData("raw", "raw", "")]
    [InlineData("vpc", "vhd", "subformat=fixed,force_size=on")]
    [InlineData("qcow2", "qcow2", "")]
    [InlineData("qcow2", "qcow2", "cluster_size=4096")]
    public async Task A_disk_restores_as_what_qemu_reads_from_it(string format, string extension, string options)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var qemuImg = Peer.RequireOrSkip("qemu-img", "qemu-utils");
        Peer.RequireOrSkip("qemu-nbd", "qemu-utils");

        var raw = _folder.Combine("source.raw");
        SampleDisk.Create(raw, LengthMiB * 1024L * 1024, seed: 21);
        var hostFolder = _folder.Combine("machines");
        var disk = Path.Combine(hostFolder, "web1", $"disk0.{extension}");
        Directory.CreateDirectory(Path.GetDirectoryName(disk)!);
        List<string> convert = ["convert", "-f", "raw", "-O", format];
        if (options.Length > 0)
            convert.AddRange(["-o", options]);
        (await CommandResult.RunAsync(qemuImg, [.. convert, raw, disk], null, cancellationToken)).Succeeded();

        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), hostFolder, cancellationToken);
        using var client = await ArmClient.SignInAsync(server, cancellationToken);
        var lab = Lab.Of(server);
        await LabSetUp.ProtectAsync(client, lab, hostFolder, Account, cancellationToken);
        var job = await LabSetUp.RestoreAsync(client, lab, await LabSetUp.BackUpAsync(client, lab, cancellationToken), Account, cancellationToken);

        await RestoredDisks.AssertEqualAsync(client, job, [new DiskContent(LengthMiB * 1024L * 1024, SampleDisk.Sha256(raw))], cancellationToken);
        await AssertQemuAgreesAsync(qemuImg, client, job, raw, cancellationToken);
    }

    /// <summary>The downloaded file, whole, is a VHD to qemu and equal to the source.</summary>
    private async Task AssertQemuAgreesAsync(
        string qemuImg, ArmClient client, JsonNode job, string raw, CancellationToken cancellationToken)
    {
        var uri = Assert.Single(await RestoredDisks.UrisAsync(client, job, cancellationToken));
        var restored = _folder.Combine("restored.vhd");
        using (var answer = await client.SendAsync(HttpMethod.Get, uri, null, cancellationToken))
        await using (var file = File.Create(restored))
            await answer.Content.CopyToAsync(file, cancellationToken);
        (await CommandResult.RunAsync(
            qemuImg, ["compare", "--image-opts", $"driver=raw,file.filename={raw}", $"driver=vpc,force_size_calc=current_size,file.filename={restored}"], null, cancellationToken)).Succeeded();
    }
}
