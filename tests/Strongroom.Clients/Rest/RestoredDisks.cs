using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Strongroom.Clients.Disks;

namespace Strongroom.Clients.Rest;

/// <summary>Finds and checks what a restore of disks left in the storage account, over HTTPS.</summary>
internal static class RestoredDisks
{
    private const int FooterLengthBytes = 512;

    /// <summary>The URIs of the restored disks, read from the config blob that the finished job names.</summary>
    public static async Task<IReadOnlyList<string>> UrisAsync(ArmClient client, JsonNode job, CancellationToken cancellationToken)
    {
        var bag = job["properties"]!["extendedInfo"]!["propertyBag"]!;
        var configUri = bag["Config Blob Uri"]?.GetValue<string>();
        Assert.True(configUri is not null, $"The job names no config blob: {job.ToJsonString()}");
        Assert.EndsWith(bag["Config Blob Name"]!.GetValue<string>(), Uri.UnescapeDataString(configUri), StringComparison.Ordinal);
        Assert.NotNull(bag["Config Blob Container Name"]);
        var template = await client.GetAsync(bag["Template Blob Uri"]!.GetValue<string>(), cancellationToken);
        Assert.NotNull(template["resources"]);

        var config = await client.GetAsync(configUri, cancellationToken);
        var uris = Strings(config)
            .Where(text => text.EndsWith(".vhd", StringComparison.OrdinalIgnoreCase))
            .Select(text => new Uri(new Uri(configUri), text).AbsoluteUri)
            .Distinct()
            .ToList();
        Assert.True(uris.Count > 0, $"The config blob names no disk: {config.ToJsonString()}");
        return uris;
    }

    /// <summary>Reads a fixed VHD: checks its footer and returns the SHA-256 of the first <paramref name="lengthBytes"/> bytes of the disk.</summary>
    public static async Task<string> Sha256Async(ArmClient client, string uri, long lengthBytes, CancellationToken cancellationToken)
    {
        var footer = await client.TailAsync(uri, FooterLengthBytes, cancellationToken);
        Assert.Equal("conectix", Encoding.ASCII.GetString(footer, 0, 8));
        var fileLengthBytes = await client.LengthAsync(uri, cancellationToken);
        Assert.True(fileLengthBytes >= lengthBytes + FooterLengthBytes, $"{uri} has {fileLengthBytes} bytes, the disk {lengthBytes}.");
        return await client.Sha256Async(uri, lengthBytes, cancellationToken);
    }

    /// <summary>Fails the test unless the restored disks are, byte for byte and in order, what the machine's disks held.</summary>
    public static async Task AssertEqualAsync(
        ArmClient client, JsonNode job, IReadOnlyList<DiskContent> expected, CancellationToken cancellationToken)
    {
        var uris = await UrisAsync(client, job, cancellationToken);
        Assert.Equal(expected.Count, uris.Count);
        foreach (var (disk, uri) in expected.Zip(uris))
            Assert.Equal(disk.Sha256, await Sha256Async(client, uri, disk.LengthBytes, cancellationToken));
    }

    private static IEnumerable<string> Strings(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(member => Strings(member.Value)),
        JsonArray entries => entries.SelectMany(Strings),
        JsonValue value when value.GetValueKind() == JsonValueKind.String => [value.GetValue<string>()],
        _ => [],
    };
}
