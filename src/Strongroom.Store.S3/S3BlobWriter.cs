using System.Globalization;
using Amazon.S3.Model;

namespace Strongroom.Store.S3;

/// <summary>A blob of which the server hears nothing before the commit, or that goes there as a multipart upload.</summary>
internal sealed class S3BlobWriter(S3Backend backend, S3Objects objects, string name, int partLengthBytes)
    : SpooledBlobWriter(partLengthBytes, objects.Place.ConcurrentParts, partLengthBytes == 0 ? GreatestRequestBytes : Math.Min(GreatestObjectBytes, (long)GreatestParts * partLengthBytes))
{
    // Amazon S3 User Guide, "Amazon S3 multipart upload limits".
    private const long GreatestRequestBytes = 5L << 30;
    private const long GreatestObjectBytes = 5L << 40;
    private const int GreatestParts = 10_000;
    private readonly string nonce = S3Objects.NewNonce();
    private readonly SemaphoreSlim beginning = new(1, 1);
    private readonly Dictionary<int, string> tags = [];
    private string? uploadId;

    protected override Task<bool> CreateWholeAsync(Stream content, CancellationToken cancellationToken) =>
        backend.CreateWholeAsync(name, content, nonce, cancellationToken);

    protected override async Task SendPartAsync(int index, Stream content, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await objects.Client.UploadPartAsync(
                new UploadPartRequest
                {
                    BucketName = objects.Place.Bucket,
                    Key = objects.KeyOf(name),
                    UploadId = await BeginUploadAsync(cancellationToken),
                    PartNumber = index + 1,
                    PartSize = content.Length,
                    InputStream = content,
                    UseChunkEncoding = false,
                },
                cancellationToken);
            lock (tags)
                tags[index] = answer.ETag;
        }
        catch (Exception failure) when (S3Failures.IsFailure(failure))
        {
            throw S3Failures.Translate(failure, objects.Place, $"{name} part {(index + 1).ToString(CultureInfo.InvariantCulture)}");
        }
    }

    protected override Task<bool> CommitPartsAsync(int count, CancellationToken cancellationToken) =>
        objects.CreateAsync(name, nonce, isConditional: true, async () =>
        {
            var request = new CompleteMultipartUploadRequest
            {
                BucketName = objects.Place.Bucket,
                Key = objects.KeyOf(name),
                UploadId = uploadId,
                IfNoneMatch = "*",
                PartETags = [.. Enumerable.Range(0, count).Select(index => new PartETag(index + 1, tags[index]))],
            };
            await objects.Client.CompleteMultipartUploadAsync(request, cancellationToken);
        }, cancellationToken);

    protected override async Task AbandonPartsAsync()
    {
        if (uploadId is null)
            return;
        try
        {
            await objects.Client.AbortMultipartUploadAsync(objects.Place.Bucket, objects.KeyOf(name), uploadId, CancellationToken.None);
        }
        catch (Exception failure) when (S3Failures.IsFailure(failure))
        {
            throw S3Failures.Translate(failure, objects.Place, name);
        }
    }

    private async Task<string> BeginUploadAsync(CancellationToken cancellationToken)
    {
        await beginning.WaitAsync(cancellationToken);
        try
        {
            if (uploadId is null)
            {
                var request = new InitiateMultipartUploadRequest { BucketName = objects.Place.Bucket, Key = objects.KeyOf(name) };
                request.Metadata[S3Objects.NonceKey] = nonce;

                // Not ended halfway: an upload that the server has begun and nobody knows takes room until it is a week old.
                uploadId = (await objects.Client.InitiateMultipartUploadAsync(request, CancellationToken.None)).UploadId;
            }

            return uploadId;
        }
        finally
        {
            beginning.Release();
        }
    }
}
