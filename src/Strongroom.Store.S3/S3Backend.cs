using System.Net;
using System.Runtime.CompilerServices;
using Amazon.S3;
using Amazon.S3.Model;

namespace Strongroom.Store.S3;

/// <summary>Blobs as objects of an S3 bucket. Thread-safe. Disposing closes the connections.</summary>
/// <remarks>
/// Before the first blob of a place is created the server is probed for conditional creation, and what was found is recorded there
/// (<see cref="S3CreateMode"/>). One that lacks it is refused unless the operator vouches for a single writer.
/// Requests, errors and limits: Amazon S3 API Reference; conditional writes: Amazon S3 User Guide, "Add preconditions to S3 operations".
/// </remarks>
public sealed class S3Backend : IBlobBackend, IRetainingBackend, ISharedPlace, IDisposable
{
    private const int ReadAttempts = 5;
    private const int Stripes = 64;
    private static readonly TimeSpan ForgottenUploadAge = TimeSpan.FromDays(7);
    private readonly S3Objects objects;
    private readonly S3Modes modes;
    private readonly S3Retention retention;
    private readonly TimeProvider time;
    private readonly SemaphoreSlim[] creations = [.. Enumerable.Range(0, Stripes).Select(_ => new SemaphoreSlim(1, 1))];

    /// <param name="client">Is disposed with the backend.</param>
    /// <param name="options">Bucket and prefix.</param>
    /// <param name="time">Tells how old an upload is that nobody finished.</param>
    public S3Backend(IAmazonS3 client, S3Options options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        objects = new(client, options);
        modes = new(objects);
        retention = new(objects);
        this.time = time;
    }

    /// <inheritdoc/>
    public ReadPattern Reads => ReadPattern.Service;

    /// <inheritdoc/>
    public async ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken)
    {
        BlobName.Require(name);
        var mode = await modes.RequireAsync(cancellationToken);
        return new S3BlobWriter(this, objects, name, mode == S3CreateMode.Conditional ? objects.Place.PartLengthBytes : 0);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        BlobName.Require(name);
        using var stream = new MemoryStream(content.ToArray(), writable: false);
        return await CreateWholeAsync(name, stream, S3Objects.NewNonce(), cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        BlobName.Require(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        if (buffer.Length == 0)
            return await GetLengthAsync(name, cancellationToken) is null ? throw StoreException.BlobMissing(name) : 0;
        var total = 0;
        for (var attempt = 1; ; attempt++)
        {
            // An answer may break off; what is there is kept and the rest asked for.
            var (read, isWhole) = await objects.GetAsync(name, offsetBytes + total, buffer[total..], cancellationToken);
            total += read;
            if (isWhole || total == buffer.Length)
                return total;
            if (attempt == ReadAttempts)
                throw new StoreException(StoreErrorKind.Io, $"The S3 server's answers for '{name}' keep breaking off. Check the network, then try again.");
        }
    }

    /// <inheritdoc/>
    public async ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken)
    {
        BlobName.Require(name);
        return (await objects.HeadAsync(name, cancellationToken))?.LengthBytes;
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
        var request = new ListObjectsV2Request { BucketName = objects.Place.Bucket, Prefix = objects.KeyOf(prefix) };
        bool hasMore;
        do
        {
            ListObjectsV2Response page;
            try
            {
                page = await objects.Client.ListObjectsV2Async(request, cancellationToken);
            }
            catch (Exception failure) when (S3Failures.IsFailure(failure))
            {
                throw S3Failures.Translate(failure, objects.Place, prefix);
            }

            foreach (var found in page.S3Objects ?? [])
                yield return new(found.Key[objects.Place.Prefix.Length..], found.Size ?? 0);

            request.ContinuationToken = page.NextContinuationToken;
            hasMore = page.IsTruncated is true;
        }
        while (hasMore);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        // A deletion succeeds whether or not there was something.
        BlobName.Require(name);
        if (await objects.HeadAsync(name, cancellationToken) is not { } found)
            return false;
        await retention.DeleteAsync(name, found.VersionId, cancellationToken);
        return true;
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
    /// <remarks>A visible object is durable.</remarks>
    public ValueTask SyncAsync(string prefix, CancellationToken cancellationToken) => default;

    /// <inheritdoc/>
    /// <remarks>Uploads that nobody finished in a week; nobody can tell a slow writer from a dead one sooner.</remarks>
    public async ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken)
    {
        var request = new ListMultipartUploadsRequest { BucketName = objects.Place.Bucket, Prefix = objects.Place.Prefix };
        try
        {
            ListMultipartUploadsResponse page;
            do
            {
                page = await objects.Client.ListMultipartUploadsAsync(request, cancellationToken);
                foreach (var upload in page.MultipartUploads ?? [])
                {
                    if (upload.Initiated is { } begun && begun.ToUniversalTime() < time.GetUtcNow().UtcDateTime - ForgottenUploadAge)
                        await objects.Client.AbortMultipartUploadAsync(objects.Place.Bucket, upload.Key, upload.UploadId, cancellationToken);
                }

                request.KeyMarker = page.NextKeyMarker;
                request.UploadIdMarker = page.NextUploadIdMarker;
            }
            while (page.IsTruncated is true);
        }
        catch (AmazonS3Exception failure) when (failure.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.NotImplemented or HttpStatusCode.MethodNotAllowed)
        {
            // A vault must be readable with the right to read alone, and on servers that know no list of uploads.
        }
        catch (Exception failure) when (S3Failures.IsFailure(failure))
        {
            throw S3Failures.Translate(failure, objects.Place, "");
        }
    }

    /// <summary>How names are made create-only here; probes the server and records the result where nothing is recorded yet.</summary>
    /// <exception cref="StoreException">Unsupported: the server lacks what is needed. InvalidRequest: the place has a single writer, and the location does not say so.</exception>
    internal Task<S3CreateMode> PrepareAsync(CancellationToken cancellationToken) => modes.RequireAsync(cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        objects.Client.Dispose();
        modes.Dispose();
        foreach (var creation in creations)
            creation.Dispose();
    }

    internal async Task<bool> CreateWholeAsync(string name, Stream content, string nonce, CancellationToken cancellationToken)
    {
        if (await modes.RequireAsync(cancellationToken) != S3CreateMode.SingleWriter)
            return await objects.PutAsync(name, content, nonce, isConditional: true, cancellationToken);

        // Asking and creating are two requests: whoever does so for the same name in this process waits for the other.
        var creation = creations[(uint)name.GetHashCode(StringComparison.Ordinal) % Stripes];
        await creation.WaitAsync(cancellationToken);
        try
        {
            if (await objects.HeadAsync(name, cancellationToken) is { } taken)
                return taken.Nonce == nonce;
            return await objects.PutAsync(name, content, nonce, isConditional: false, cancellationToken);
        }
        finally
        {
            creation.Release();
        }
    }

}
