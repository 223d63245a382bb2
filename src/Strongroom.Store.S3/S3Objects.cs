using System.Net;
using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;

namespace Strongroom.Store.S3;

/// <summary>Single requests to one bucket and prefix. Thread-safe.</summary>
/// <remarks>
/// Each creation carries a random nonce in the object's metadata. The SDK repeats a request whose answer was lost; when the repetition then
/// finds the name taken, the nonce tells whether the first request was it.
/// </remarks>
internal sealed class S3Objects(IAmazonS3 client, S3Options place)
{
    public const string NonceKey = "x-amz-meta-strongroom-create";
    private const int GreatestContentions = 20;
    private static readonly TimeSpan ContentionDelay = TimeSpan.FromMilliseconds(50);

    public IAmazonS3 Client => client;

    public S3Options Place => place;

    public static string NewNonce() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public string KeyOf(string name) => place.Prefix + name;

    /// <summary>Puts an object in one request. False when a condition was asked for and the name is taken.</summary>
    public async Task<bool> PutAsync(string name, Stream content, string nonce, bool isConditional, CancellationToken cancellationToken) =>
        await CreateAsync(name, nonce, isConditional, async () =>
        {
            content.Position = 0;
            var request = new PutObjectRequest
            {
                BucketName = place.Bucket,
                Key = KeyOf(name),
                InputStream = content,
                AutoCloseStream = false,
                AutoResetStreamPosition = true,

                // Servers other than Amazon's do not all take aws-chunked bodies. Without it the SDK signs the SHA-256 of the whole body,
                // which the server checks.
                UseChunkEncoding = false,
                IfNoneMatch = isConditional ? "*" : null,
            };
            request.Metadata[NonceKey] = nonce;
            await client.PutObjectAsync(request, cancellationToken);
        }, cancellationToken);

    /// <summary>Runs a creation; decides what a taken name means. False when somebody else created it.</summary>
    public async Task<bool> CreateAsync(string name, string nonce, bool isConditional, Func<Task> request, CancellationToken cancellationToken)
    {
        for (var contentions = 0; ; contentions++)
        {
            try
            {
                await request();
                return true;
            }
            catch (AmazonS3Exception failure) when (isConditional && S3Failures.IsTaken(failure))
            {
                return await NonceOfAsync(name, cancellationToken) == nonce;
            }
            catch (AmazonS3Exception failure) when (S3Failures.IsEndedUpload(failure))
            {
                return await NonceOfAsync(name, cancellationToken) == nonce ? true : throw S3Failures.Translate(failure, place, name);
            }
            catch (AmazonS3Exception failure) when (S3Failures.IsContended(failure) && contentions < GreatestContentions)
            {
                await Task.Delay(ContentionDelay * (1 + Random.Shared.NextDouble()), cancellationToken);
            }
            catch (Exception failure) when (S3Failures.IsFailure(failure))
            {
                throw S3Failures.Translate(failure, place, name);
            }
        }
    }

    /// <summary>The object's length, the nonce it was created with, and its version where the bucket has versions; null when it is not there.</summary>
    public async Task<(long LengthBytes, string? Nonce, string? VersionId)?> HeadAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = place.Bucket, Key = KeyOf(name) }, cancellationToken);
            return (answer.ContentLength, answer.Metadata.Keys.Contains(NonceKey) ? answer.Metadata[NonceKey] : null, answer.VersionId);
        }
        catch (AmazonS3Exception failure) when (S3Failures.IsAbsent(failure))
        {
            return null;
        }
        catch (Exception failure) when (S3Failures.IsFailure(failure))
        {
            throw S3Failures.Translate(failure, place, name);
        }
    }

    /// <summary>One range read; the number of bytes that the answer held, which is less than asked for where the object ends or the connection did.</summary>
    public async Task<(int ReadBytes, bool IsWhole)> GetAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var total = 0;
        try
        {
            using var answer = await client.GetObjectAsync(
                new GetObjectRequest { BucketName = place.Bucket, Key = KeyOf(name), ByteRange = new(offsetBytes, offsetBytes + buffer.Length - 1) }, cancellationToken);
            var length = (int)Math.Min(answer.ContentLength, buffer.Length);
            while (total < length)
            {
                var read = await answer.ResponseStream.ReadAsync(buffer[total..length], cancellationToken);
                if (read == 0)
                    return (total, false);
                total += read;
            }

            return (total, true);
        }
        catch (AmazonS3Exception failure) when (failure.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            return (0, true);
        }
        catch (IOException)
        {
            return (total, false);
        }
        catch (Exception failure) when (S3Failures.IsFailure(failure))
        {
            throw S3Failures.Translate(failure, place, name);
        }
    }

    /// <summary>Deletes a version, or with null what the name has now.</summary>
    public async Task DeleteAsync(string name, string? versionId, CancellationToken cancellationToken)
    {
        try
        {
            await client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = place.Bucket, Key = KeyOf(name), VersionId = versionId }, cancellationToken);
        }
        catch (Exception failure) when (S3Failures.IsFailure(failure))
        {
            throw S3Failures.Translate(failure, place, name);
        }
    }

    private async Task<string?> NonceOfAsync(string name, CancellationToken cancellationToken) => (await HeadAsync(name, cancellationToken))?.Nonce;
}
