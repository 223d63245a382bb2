using Azure;
using Azure.Storage.Blobs.Models;
using Strongroom.Store.Blobs;

namespace Strongroom.Store.AzureBlob;

/// <summary>Retention by version-level immutability policies of Azure Blob Storage. Thread-safe.</summary>
/// <remarks>
/// Azure Storage, "Version-level WORM policies for immutable blob data" and REST API, "Set Blob Immutability Policy". Such containers keep
/// versions: deleting a blob only makes its content a former version, even while that is retained. So a deletion asks for the policy first, and
/// afterwards removes the version of a blob that was ever retained, which gives the room back.
/// </remarks>
internal sealed class AzureRetention(AzureBlobs blobs)
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
            // An unlocked policy can be shortened, so what is there is asked for first; a locked one the service itself refuses to shorten.
            if ((await PropertiesAsync(name, cancellationToken) ?? throw StoreException.BlobMissing(name)).ImmutabilityPolicy?.ExpiresOn >= end)
                return;
            await blobs.Of(name).SetImmutabilityPolicyAsync(
                new BlobImmutabilityPolicy
                {
                    ExpiresOn = end,
                    PolicyMode = blobs.Options.IsRetentionLocked ? BlobImmutabilityPolicyMode.Locked : BlobImmutabilityPolicyMode.Unlocked,
                },
                cancellationToken: cancellationToken);
        }
        catch (Exception failure) when (AzureFailures.IsFailure(failure))
        {
            throw AzureFailures.Translate(failure, blobs.Container.Uri, name);
        }
    }

    /// <summary>Until when the blob is retained; null when nothing retains it, or it is not there.</summary>
    public async Task<DateTimeOffset?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (!(await GetSupportAsync(cancellationToken)).IsAvailable)
            return null;
        try
        {
            return (await PropertiesAsync(name, cancellationToken))?.ImmutabilityPolicy?.ExpiresOn;
        }
        catch (Exception failure) when (AzureFailures.IsFailure(failure))
        {
            throw AzureFailures.Translate(failure, blobs.Container.Uri, name);
        }
    }

    /// <summary>Deletes a blob; false when there is none. What fails is not translated.</summary>
    /// <exception cref="StoreException">Locked: it is retained.</exception>
    public async Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        var blob = blobs.Of(name);
        if (!(await GetSupportAsync(cancellationToken)).IsAvailable)
            return (await blob.DeleteIfExistsAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: cancellationToken)).Value;
        if (await PropertiesAsync(name, cancellationToken) is not { } found)
            return false;
        if (found.ImmutabilityPolicy?.ExpiresOn is { } until && until > DateTimeOffset.FromUnixTimeSeconds(blobs.Time.GetUtcNow().ToUnixTimeSeconds()))
            throw NoRetention.Retained(name, until);
        var isGone = (await blob.DeleteIfExistsAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: cancellationToken)).Value;
        if (found.VersionId is { Length: > 0 } version)
            await blob.WithVersion(version).DeleteIfExistsAsync(cancellationToken: cancellationToken);
        return isGone;
    }

    private async Task<BlobProperties?> PropertiesAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return (await blobs.Of(name).GetPropertiesAsync(cancellationToken: cancellationToken)).Value;
        }
        catch (RequestFailedException failure) when (AzureFailures.IsAbsent(failure))
        {
            return null;
        }
    }

    private async Task<RetentionSupport> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            var container = (await blobs.Container.GetPropertiesAsync(cancellationToken: cancellationToken)).Value;
            return container.HasImmutableStorageWithVersioning
                ? new(true, $"version-level immutability of '{Place}' ({(blobs.Options.IsRetentionLocked ? "locked" : "unlocked")})")
                : new(false, $"'{Place}' has no version-level immutability");
        }
        catch (RequestFailedException failure) when (failure.Status == 403)
        {
            return new(false, $"'{Place}' does not tell these credentials whether it has version-level immutability");
        }
        catch (Exception failure) when (AzureFailures.IsFailure(failure))
        {
            throw AzureFailures.Translate(failure, blobs.Container.Uri, "");
        }
    }

    private string Place => blobs.Container.Uri.GetLeftPart(UriPartial.Path);
}
