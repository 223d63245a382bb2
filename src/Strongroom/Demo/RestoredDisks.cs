using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Strongroom.Client;

namespace Strongroom.Demo;

/// <summary>Finds the disks that a restore job left in the storage account and reads them back over HTTPS.</summary>
internal sealed class RestoredDisks(ArmClient arm, TimeProvider time)
{
    private const int FooterBytes = 512;
    private const int ConfigBytesMax = 1024 * 1024;

    /// <summary>The addresses of the restored VHDs: the system disk first, then the data disks by LUN.</summary>
    /// <remarks>They stand in the configuration that Azure Backup writes beside the disks, under <c>properties.storageProfile</c> (one dotted key).</remarks>
    public async Task<IReadOnlyList<string>> ListAsync(JobOutcome restore, CancellationToken cancellationToken)
    {
        var configUri = restore.Property("Config Blob Uri")
            ?? throw new DemoException($"Restore job {restore.Id} does not say where it put its configuration (\"Config Blob Uri\").");
        var config = await ReadConfigAsync(configUri, cancellationToken);
        var profile = config.At("properties.storageProfile") ?? config.At("properties", "storageProfile")
            ?? throw new DemoException("The restored configuration lists no disks (properties.storageProfile).");

        var disks = new List<string> { profile.RequireText("the system disk's address", "osDisk", "vhd", "uri") };
        disks.AddRange(profile.Items("dataDisks")
            .OrderBy(disk => disk.Number("lun") ?? 0)
            .Select(disk => disk.RequireText("a data disk's address", "vhd", "uri")));
        return disks;
    }

    /// <summary>Downloads a fixed VHD and compares it with what the disk was; nothing is kept but a hash.</summary>
    /// <param name="uri">Where the VHD is.</param>
    /// <param name="expected">The disk at the moment of the backup.</param>
    /// <param name="progress">Told the part that is done, from 0 to 1.</param>
    /// <param name="cancellationToken">Stops the download.</param>
    /// <returns>Null when it is the same, else what differs.</returns>
    public async Task<string?> CompareAsync(string uri, DiskFingerprint expected, Action<double> progress, CancellationToken cancellationToken)
    {
        using var response = await arm.DownloadAsync(uri, cancellationToken);
        var total = response.Content.Headers.ContentLength
            ?? throw new DemoException($"The server does not say how long {uri} is.");
        var virtualSize = total - FooterBytes;
        if (virtualSize < expected.LengthBytes)
            return $"the restored disk is too short: {virtualSize} bytes instead of {expected.LengthBytes}";

        return await TimeLimits.WithinAsync(DemoTimeLimits.ForBytes(total), $"the download of {uri} did not end", time, async limited =>
        {
            await using var stream = await response.Content.ReadAsStreamAsync(limited);
            return await CompareAsync(stream, virtualSize, expected, progress, limited);
        }, cancellationToken);
    }

    private static async Task<string?> CompareAsync(
        Stream stream, long virtualSize, DiskFingerprint expected, Action<double> progress, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(DiskFingerprint.BufferBytes);
        try
        {
            var offset = 0L;
            while (offset < expected.LengthBytes)
            {
                var read = await ReadAsync(expected.LengthBytes - offset);
                hash.AppendData(buffer, 0, read);
                offset += read;
                progress((double)offset / virtualSize);
            }

            // Azure wants whole MiB, so that a disk may have grown by zeros.
            while (offset < virtualSize)
            {
                var read = await ReadAsync(virtualSize - offset);
                if (buffer.AsSpan(0, read).ContainsAnyExcept((byte)0))
                    return "the restored disk has bytes other than zero behind the end of the original";
                offset += read;
            }

            await stream.ReadExactlyAsync(buffer.AsMemory(0, FooterBytes), cancellationToken);
            if (!buffer.AsSpan().StartsWith("conectix"u8))
                return "the restored file does not end with a VHD footer";
            progress(1);
        }
        catch (IOException e)
        {
            return $"the download broke off: {e.Message}";
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        var actual = Convert.ToHexStringLower(hash.GetHashAndReset());
        return actual == expected.Sha256 ? null : $"SHA-256 is {actual} and was {expected.Sha256}";

        async ValueTask<int> ReadAsync(long wanted)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(DiskFingerprint.BufferBytes, wanted)), cancellationToken);
            return read > 0 ? read : throw new EndOfStreamException("the file is shorter than announced");
        }
    }

    private async Task<JsonNode> ReadConfigAsync(string uri, CancellationToken cancellationToken)
    {
        using var response = await arm.DownloadAsync(uri, cancellationToken);
        if (response.Content.Headers.ContentLength is > ConfigBytesMax)
            throw new DemoException($"The configuration at {uri} is unreasonably long.");
        var text = await TimeLimits.WithinAsync(TimeLimits.Request, $"the download of {uri} did not end", time,
            limited => response.Content.ReadAsStringAsync(limited), cancellationToken);
        try
        {
            return JsonNode.Parse(text) ?? throw new DemoException($"The configuration at {uri} is empty.");
        }
        catch (JsonException e)
        {
            throw new DemoException($"The configuration at {uri} is not JSON: {e.Message}", e);
        }
    }
}
