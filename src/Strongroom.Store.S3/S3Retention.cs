using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using Strongroom.Store.Blobs;

namespace Strongroom.Store.S3;

/// <summary>How firmly S3 Object Lock holds.</summary>
public enum S3RetentionMode
{
    /// <summary>COMPLIANCE: nobody ends it before its time, the account's owner included.</summary>
    Compliance,

    /// <summary>GOVERNANCE: who has the permission s3:BypassGovernanceRetention may end it. The store never does.</summary>
    Governance,
}

/// <summary>Retention by S3 Object Lock. Thread-safe.</summary>
/// <remarks>
/// Amazon S3 User Guide, "Locking objects with Object Lock". A bucket with Object Lock has versions, and a lock is one of a version: a plain
/// deletion would only hide it. So blobs are deleted by their version there, which also gives the room back.
/// </remarks>
internal sealed class S3Retention(S3Objects objects)
{
    private RetentionSupport? support;

    public async ValueTask<RetentionSupport> GetSupportAsync(CancellationToken cancellationToken) => support ??= await AskAsync(cancellationToken);

    public async Task RetainAsync(string name, DateTimeOffset until, CancellationToken cancellationToken)
    {
        if (await GetSupportAsync(cancellationToken) is { IsAvailable: false } absent)
            throw NoRetention.NotAvailable(absent.Detail);
        var end = NoRetention.RoundUp(until);
        try
        {
            await objects.Client.PutObjectRetentionAsync(
                new PutObjectRetentionRequest
                {
                    BucketName = objects.Place.Bucket,
                    Key = objects.KeyOf(name),
                    Retention = new()
                    {
                        Mode = objects.Place.Retention == S3RetentionMode.Governance ? ObjectLockRetentionMode.Governance : ObjectLockRetentionMode.Compliance,
                        RetainUntilDate = end.UtcDateTime,
                    },
                },
                cancellationToken);
        }
        catch (Exception failure) when (S3Failures.IsFailure(failure))
        {
            // What is retained for longer already is refused like what nobody has a right to.
            if (S3Failures.IsRefused(failure) && await FindAsync(name, cancellationToken) >= end)
                return;
            throw S3Failures.Translate(failure, objects.Place, name);
        }
    }

    /// <summary>Until when the object is retained; null when nothing retains it, or it is not there.</summary>
    public async Task<DateTimeOffset?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (!(await GetSupportAsync(cancellationToken)).IsAvailable)
            return null;
        try
        {
            var answer = await objects.Client.GetObjectRetentionAsync(
                new GetObjectRetentionRequest { BucketName = objects.Place.Bucket, Key = objects.KeyOf(name) }, cancellationToken);
            return answer.Retention?.RetainUntilDate is { } until ? new DateTimeOffset(until.ToUniversalTime()) : null;
        }
        catch (AmazonS3Exception failure) when (S3Failures.IsAbsent(failure))
        {
            return null;
        }
        catch (Exception failure) when (S3Failures.IsFailure(failure))
        {
            throw S3Failures.Translate(failure, objects.Place, name);
        }
    }

    /// <summary>Deletes the version that a name has now.</summary>
    /// <exception cref="StoreException">Locked: it is retained.</exception>
    public async Task DeleteAsync(string name, string? versionId, CancellationToken cancellationToken)
    {
        var isByVersion = versionId is not null && (await GetSupportAsync(cancellationToken)).IsAvailable;
        try
        {
            await objects.DeleteAsync(name, isByVersion ? versionId : null, cancellationToken);
        }
        catch (StoreException failure) when (isByVersion && failure.Kind == StoreErrorKind.AccessDenied)
        {
            throw await FindAsync(name, cancellationToken) is { } until ? NoRetention.Retained(name, until) : failure;
        }
    }

    private async Task<RetentionSupport> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            var answer = await objects.Client.GetObjectLockConfigurationAsync(
                new GetObjectLockConfigurationRequest { BucketName = objects.Place.Bucket }, cancellationToken);
            return answer.ObjectLockConfiguration?.ObjectLockEnabled == ObjectLockEnabled.Enabled
                ? new(true, $"S3 Object Lock of the bucket '{objects.Place.Bucket}' ({(objects.Place.Retention == S3RetentionMode.Governance ? "governance" : "compliance")})")
                : Without("has no Object Lock; it is switched on when a bucket is made");
        }
        catch (AmazonS3Exception failure) when (failure.ErrorCode != "NoSuchBucket"
            && failure.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.NotImplemented or HttpStatusCode.MethodNotAllowed or HttpStatusCode.BadRequest)
        {
            return Without("has no Object Lock; it is switched on when a bucket is made");
        }
        catch (AmazonS3Exception failure) when (S3Failures.IsRefused(failure))
        {
            return Without("does not tell these credentials whether it has Object Lock (s3:GetBucketObjectLockConfiguration)");
        }
        catch (Exception failure) when (S3Failures.IsFailure(failure))
        {
            throw S3Failures.Translate(failure, objects.Place, "");
        }
    }

    private RetentionSupport Without(string why) => new(false, $"the bucket '{objects.Place.Bucket}' {why}");
}
