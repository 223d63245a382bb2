using System.Net;
using Amazon.Runtime;
using Amazon.S3;

namespace Strongroom.Store.S3;

/// <summary>Says in the store's words what an S3 server's answer means.</summary>
/// <remarks>Error codes: Amazon S3 API Reference, "Error responses"; QuotaExceeded is Ceph's.</remarks>
internal static class S3Failures
{
    /// <summary>True when the object exists already: the condition of a conditional request was not met.</summary>
    public static bool IsTaken(AmazonS3Exception failure) => failure.StatusCode == HttpStatusCode.PreconditionFailed;

    /// <summary>True when another conditional request for the same name was under way: neither won yet, ask again.</summary>
    public static bool IsContended(AmazonS3Exception failure) =>
        failure.StatusCode == HttpStatusCode.Conflict && failure.ErrorCode is "ConditionalRequestConflict" or "OperationAborted" or "ConcurrentModification";

    /// <summary>True when an upload is over: abandoned, or completed by a request whose answer was lost.</summary>
    public static bool IsEndedUpload(AmazonS3Exception failure) => failure.ErrorCode == "NoSuchUpload";

    /// <summary>True when the object is not there, and not when its bucket is not.</summary>
    public static bool IsAbsent(AmazonS3Exception failure) =>
        failure.StatusCode == HttpStatusCode.NotFound && failure.ErrorCode is not "NoSuchBucket";

    /// <summary>True when the server says that it is not allowed; a lock on an object is such a reason, too.</summary>
    public static bool IsRefused(Exception failure) => failure is AmazonS3Exception { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized };

    /// <summary>True for what this class translates; cancellation is not among it.</summary>
    public static bool IsFailure(Exception failure) =>
        failure is AmazonServiceException or AmazonClientException or IOException or HttpRequestException or TimeoutException or TaskCanceledException { InnerException: TimeoutException };

    public static StoreException Translate(Exception failure, S3Options place, string name)
    {
        if (failure is StoreException known)
            return known;
        var server = failure as AmazonServiceException ?? failure.InnerException as AmazonServiceException;
        if (server is { StatusCode: HttpStatusCode.NotFound, ErrorCode: not "NoSuchBucket" and not "QuotaExceeded" and not "InsufficientStorage" })
            return StoreException.BlobMissing(name, failure);
        var (kind, message) = (server?.ErrorCode, server?.StatusCode) switch
        {
            ("NoSuchBucket", _) => (StoreErrorKind.InvalidRequest, $"There is no bucket '{place.Bucket}'. Create it, or correct the vault's location."),
            ("QuotaExceeded" or "InsufficientStorage", _) or (_, HttpStatusCode.InsufficientStorage) =>
                (StoreErrorKind.Full, $"No space is left in the bucket '{place.Bucket}' for '{name}'. Raise its quota, then try again; recovery points that exist are intact."),
            (_, HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized) =>
                (StoreErrorKind.AccessDenied, $"The bucket '{place.Bucket}' refused access at '{name}' ({server!.ErrorCode}). Check the credentials, the machine's clock, and that they allow s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject."),
            (_, >= HttpStatusCode.MovedPermanently and <= HttpStatusCode.PermanentRedirect) =>
                (StoreErrorKind.InvalidRequest, $"The bucket '{place.Bucket}' is in another region. Name it in the vault's location (region=...)."),
            (null, _) => NoAnswer(failure, name),
            _ => (StoreErrorKind.Io, $"The bucket '{place.Bucket}' failed at '{name}': {server!.ErrorCode} {failure.Message} Try again; if it stays, ask its operator."),
        };
        return new(kind, message, failure);
    }

    private static (StoreErrorKind Kind, string Message) NoAnswer(Exception failure, string name) => failure.Message.Contains("credentials", StringComparison.OrdinalIgnoreCase)
        ? (StoreErrorKind.AccessDenied, $"No usable credentials for S3 were found: {failure.Message} Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.")
        : (StoreErrorKind.Io, $"The S3 server did not answer at '{name}': {failure.Message} Check the network and the vault's location, then try again.");
}
