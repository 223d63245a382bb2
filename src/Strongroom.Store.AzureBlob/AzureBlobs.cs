using System.Security.Cryptography;
using Azure;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace Strongroom.Store.AzureBlob;

/// <summary>Single creations in one container and prefix. Thread-safe.</summary>
/// <remarks>
/// Each creation carries a random nonce in the blob's metadata. The SDK repeats a request whose answer was lost; when the repetition then finds
/// the name taken, the nonce tells whether the first request was it.
/// </remarks>
internal sealed class AzureBlobs(BlobContainerClient container, AzureBlobOptions options, TimeProvider time)
{
    public const string NonceKey = "strongroomcreate";
    private static readonly BlobRequestConditions IfAbsent = new() { IfNoneMatch = ETag.All };

    public AzureBlobOptions Options => options;

    public BlobContainerClient Container => container;

    /// <summary>Tells whether retention is over; the service has the last word.</summary>
    public TimeProvider Time => time;

    public static string NewNonce() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public BlockBlobClient Of(string name) => container.GetBlockBlobClient(options.Prefix + name);

    /// <summary>Creates a blob in one request. False when the name is taken.</summary>
    public Task<bool> PutAsync(string name, Stream content, string nonce, CancellationToken cancellationToken) =>
        CreateAsync(name, nonce, async () =>
        {
            content.Position = 0;
            var upload = new BlobUploadOptions
            {
                Conditions = IfAbsent,
                Metadata = new Dictionary<string, string> { [NonceKey] = nonce },

                // One request (only what is shorter than this goes as one), with a checksum that the service compares.
                TransferOptions = new() { InitialTransferSize = content.Length + 1, MaximumConcurrency = 1 },
                TransferValidation = new() { ChecksumAlgorithm = StorageChecksumAlgorithm.MD5 },
            };
            await Of(name).UploadAsync(content, upload, cancellationToken);
        }, cancellationToken);

    public async Task StageAsync(string name, string blockId, Stream content, CancellationToken cancellationToken)
    {
        try
        {
            var stage = new BlockBlobStageBlockOptions { TransferValidation = new() { ChecksumAlgorithm = StorageChecksumAlgorithm.MD5 } };
            await Of(name).StageBlockAsync(blockId, content, stage, cancellationToken);
        }
        catch (Exception failure) when (AzureFailures.IsFailure(failure))
        {
            throw AzureFailures.Translate(failure, container.Uri, name);
        }
    }

    public Task<bool> CommitAsync(string name, IEnumerable<string> blockIds, string nonce, CancellationToken cancellationToken) =>
        CreateAsync(name, nonce, async () =>
        {
            var commit = new CommitBlockListOptions { Conditions = IfAbsent, Metadata = new Dictionary<string, string> { [NonceKey] = nonce } };
            await Of(name).CommitBlockListAsync(blockIds, commit, cancellationToken);
        }, cancellationToken);

    /// <summary>The blob's length and the nonce it was created with, or null when it is not there.</summary>
    public async Task<(long LengthBytes, string? Nonce)?> HeadAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var properties = (await Of(name).GetPropertiesAsync(cancellationToken: cancellationToken)).Value;
            return (properties.ContentLength, properties.Metadata.TryGetValue(NonceKey, out var nonce) ? nonce : null);
        }
        catch (RequestFailedException failure) when (AzureFailures.IsAbsent(failure))
        {
            return null;
        }
        catch (Exception failure) when (AzureFailures.IsFailure(failure))
        {
            throw AzureFailures.Translate(failure, container.Uri, name);
        }
    }

    private async Task<bool> CreateAsync(string name, string nonce, Func<Task> request, CancellationToken cancellationToken)
    {
        try
        {
            await request();
            return true;
        }
        catch (RequestFailedException failure) when (AzureFailures.IsTaken(failure))
        {
            return (await HeadAsync(name, cancellationToken))?.Nonce == nonce;
        }
        catch (RequestFailedException failure) when (AzureFailures.HasLostBlocks(failure))
        {
            // Another commit of the name discarded the blocks; or the commit whose answer was lost used them.
            return await HeadAsync(name, cancellationToken) is { } taken ? taken.Nonce == nonce : throw AzureFailures.Translate(failure, container.Uri, name);
        }
        catch (Exception failure) when (AzureFailures.IsFailure(failure))
        {
            throw AzureFailures.Translate(failure, container.Uri, name);
        }
    }
}
