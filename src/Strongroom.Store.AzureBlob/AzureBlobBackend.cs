using System.Net;
using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Strongroom.Store.Blobs;

namespace Strongroom.Store.AzureBlob;

/// <summary>Blobs as block blobs of an Azure Storage container. Thread-safe.</summary>
/// <remarks>
/// Requests, conditions and limits: Azure Storage REST API, "Put Blob", "Put Block List" and "Specifying conditional headers". Throttling
/// (429, 503) and lost answers are waited out and repeated by the SDK's retry policy, which the container's client carries.
/// </remarks>
public sealed class AzureBlobBackend : IBlobBackend, IRetainingBackend, ISharedPlace
{
    private readonly AzureBlobs blobs;
    private readonly AzureRetention retention;

    /// <param name="container">An existing container.</param>
    /// <param name="options">Prefix, and how blobs are sent.</param>
    /// <param name="time">Tells whether retention is over; null for the machine's clock.</param>
    public AzureBlobBackend(BlobContainerClient container, AzureBlobOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(container);
        ArgumentNullException.ThrowIfNull(options);
        blobs = new(container, options, time ?? TimeProvider.System);
        retention = new(blobs);
    }

    /// <inheritdoc/>
    public ReadPattern Reads => ReadPattern.Service;

    /// <inheritdoc/>
    public ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken)
    {
        BlobName.Require(name);
        cancellationToken.ThrowIfCancellationRequested();
        return new(new AzureBlobWriter(blobs, name));
    }

    /// <inheritdoc/>
    public async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        BlobName.Require(name);
        using var stream = new MemoryStream(content.ToArray(), writable: false);
        return await blobs.PutAsync(name, stream, AzureBlobs.NewNonce(), cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        BlobName.Require(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        if (buffer.Length == 0)
            return await GetLengthAsync(name, cancellationToken) is null ? throw StoreException.BlobMissing(name) : 0;
        try
        {
            var download = new BlobDownloadOptions { Range = new(offsetBytes, buffer.Length) };
            using var answer = (await blobs.Of(name).DownloadStreamingAsync(download, cancellationToken)).Value;

            // The SDK goes on by itself where an answer breaks off; what is promised comes, or an exception.
            var length = (int)Math.Min(answer.Details.ContentLength, buffer.Length);
            await answer.Content.ReadExactlyAsync(buffer[..length], cancellationToken);
            return length;
        }
        catch (RequestFailedException failure) when (failure.Status == (int)HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            return 0;
        }
        catch (Exception failure) when (AzureFailures.IsFailure(failure))
        {
            throw AzureFailures.Translate(failure, blobs.Container.Uri, name);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken)
    {
        BlobName.Require(name);
        return (await blobs.HeadAsync(name, cancellationToken))?.LengthBytes;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<BlobInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        BlobName.RequirePrefix(prefix);
        await foreach (var found in ListAllAsync(prefix, cancellationToken))
        {
            if (BlobName.IsValid(found.Name))
                yield return found;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<string> ListNamesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var found in ListAllAsync("", cancellationToken))
            yield return found.Name;
    }

    private async IAsyncEnumerable<BlobInfo> ListAllAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var pages = blobs.Container
            .GetBlobsAsync(new GetBlobsOptions { Prefix = blobs.Options.Prefix + prefix }, cancellationToken)
            .AsPages(pageSizeHint: blobs.Options.PageBlobs);
        await using var enumerator = pages.GetAsyncEnumerator(cancellationToken);
        while (await MoveNextAsync(enumerator, prefix))
        {
            foreach (var found in enumerator.Current.Values)
                yield return new(found.Name[blobs.Options.Prefix.Length..], found.Properties.ContentLength ?? 0);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        BlobName.Require(name);
        try
        {
            return await retention.DeleteAsync(name, cancellationToken);
        }
        catch (RequestFailedException failure) when (AzureFailures.IsRetained(failure))
        {
            throw NoRetention.Retained(name, await retention.FindAsync(name, cancellationToken) ?? DateTimeOffset.MaxValue);
        }
        catch (Exception failure) when (AzureFailures.IsFailure(failure))
        {
            throw AzureFailures.Translate(failure, blobs.Container.Uri, name);
        }
    }

    /// <inheritdoc/>
    public ValueTask<RetentionSupport> GetSupportAsync(CancellationToken cancellationToken) => retention.GetSupportAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask RetainUntilAsync(string name, DateTimeOffset until, CancellationToken cancellationToken)
    {
        BlobName.Require(name);
        await retention.RetainAsync(name, until, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<DateTimeOffset?> GetRetainedUntilAsync(string name, CancellationToken cancellationToken)
    {
        BlobName.Require(name);
        return await retention.FindAsync(name, cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>A visible blob is durable.</remarks>
    public ValueTask SyncAsync(string prefix, CancellationToken cancellationToken) => default;

    /// <inheritdoc/>
    /// <remarks>The service removes uncommitted blocks by itself.</remarks>
    public ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken) => default;

    private async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<Page<BlobItem>> enumerator, string prefix)
    {
        try
        {
            return await enumerator.MoveNextAsync();
        }
        catch (Exception failure) when (AzureFailures.IsFailure(failure))
        {
            throw AzureFailures.Translate(failure, blobs.Container.Uri, prefix);
        }
    }
}
