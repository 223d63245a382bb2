using System.Net;
using Azure;
using Azure.Storage.Blobs.Models;

namespace Strongroom.Store.AzureBlob;

/// <summary>Says in the store's words what the Blob service's answer means.</summary>
/// <remarks>Error codes: Azure Storage REST API, "Blob service error codes".</remarks>
internal static class AzureFailures
{
    /// <summary>True when the blob exists already: the condition of a conditional request was not met.</summary>
    public static bool IsTaken(RequestFailedException failure) =>
        failure.ErrorCode == BlobErrorCode.BlobAlreadyExists || failure.ErrorCode == BlobErrorCode.ConditionNotMet
        || failure.ErrorCode == BlobErrorCode.BlobImmutableDueToPolicy || failure.Status == (int)HttpStatusCode.PreconditionFailed;

    /// <summary>True when staged blocks are not there any more.</summary>
    /// <remarks>A commit finds its blocks gone when another writer's commit of the same name discarded them.</remarks>
    public static bool HasLostBlocks(RequestFailedException failure) => failure.ErrorCode == BlobErrorCode.InvalidBlockList;

    /// <summary>True when the blob is not there, and not when its container is not.</summary>
    public static bool IsAbsent(RequestFailedException failure) =>
        failure.Status == (int)HttpStatusCode.NotFound && failure.ErrorCode != BlobErrorCode.ContainerNotFound && failure.ErrorCode != BlobErrorCode.ContainerBeingDeleted;

    /// <summary>True when a policy or a legal hold keeps the blob from being deleted.</summary>
    public static bool IsRetained(RequestFailedException failure) => failure.ErrorCode == BlobErrorCode.BlobImmutableDueToPolicy;

    /// <summary>True for what this class translates. The SDK puts the failures of all its attempts together.</summary>
    public static bool IsFailure(Exception failure) =>
        failure is RequestFailedException or AggregateException or IOException or HttpRequestException or TimeoutException or FormatException
        || failure is TaskCanceledException { CancellationToken.IsCancellationRequested: false };

    public static StoreException Translate(Exception failure, Uri container, string name)
    {
        if (failure is StoreException known)
            return known;
        var place = container.GetLeftPart(UriPartial.Path);
        var server = failure as RequestFailedException;
        if (server is null or { Status: 0 })
            return new(StoreErrorKind.Io, $"'{place}' did not answer at '{name}': {Shorten(failure)} Check the network and the vault's location, then try again.", failure);
        if (server.ErrorCode == BlobErrorCode.ContainerNotFound || server.ErrorCode == BlobErrorCode.ContainerBeingDeleted)
            return new(StoreErrorKind.InvalidRequest, $"There is no container '{place}'. Create it, or correct the vault's location.", failure);
        return (HttpStatusCode)server.Status switch
        {
            HttpStatusCode.NotFound => StoreException.BlobMissing(name, failure),
            HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized => new(
                StoreErrorKind.AccessDenied,
                $"'{place}' refused access at '{name}' ({server.ErrorCode}). Check the account's key or the shared access signature, what it allows (read, add, create, write, delete, list), its end, and the machine's clock.",
                failure),
            HttpStatusCode.InsufficientStorage => new(
                StoreErrorKind.Full, $"No space is left in '{place}' for '{name}'. Raise the account's limit, then try again; recovery points that exist are intact.", failure),
            _ => new(StoreErrorKind.Io, $"'{place}' failed at '{name}': {server.Status} {server.ErrorCode}. Try again; if it stays, look at the account's state and its network rules.", failure),
        };
    }

    // The messages of the SDK go on for many lines, with headers.
    private static string Shorten(Exception failure) => failure.GetBaseException().Message.Split('\n')[0].Trim();
}
