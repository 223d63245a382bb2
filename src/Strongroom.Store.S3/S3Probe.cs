using Amazon.S3.Model;

namespace Strongroom.Store.S3;

/// <summary>Finds out what a server makes of <c>If-None-Match: *</c>, by trying.</summary>
internal static class S3Probe
{
    private const int Rounds = 4;
    private const int Racers = 6;

    /// <summary>For racers that fail before the start.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    /// <summary>What the server can do; SingleWriter when it cannot create conditionally. Leaves nothing behind.</summary>
    public static async Task<S3CreateMode> RunAsync(S3Objects objects, CancellationToken cancellationToken)
    {
        var folder = $"probe/{S3Objects.NewNonce()}/";
        var names = new List<string>();
        try
        {
            for (var round = 0; round < Rounds; round++)
            {
                names.Add($"{folder}{round}");
                if (!await HasOneWinnerAsync(objects, names[^1], cancellationToken))
                    return S3CreateMode.SingleWriter;
            }

            if (await TryUploadAsync(objects, names[0], () => Task.CompletedTask, cancellationToken) is not false)
                return S3CreateMode.ConditionalWhole;
            for (var round = Rounds; round < 2 * Rounds; round++)
            {
                names.Add($"{folder}{round}");
                if (!await HasOneUploadWinnerAsync(objects, names[^1], cancellationToken))
                    return S3CreateMode.ConditionalWhole;
            }

            return S3CreateMode.Conditional;
        }
        finally
        {
            foreach (var name in names)
                await RemoveAsync(objects, name);
        }
    }

    private static async Task RemoveAsync(S3Objects objects, string name)
    {
        try
        {
            await objects.DeleteAsync(name, null, CancellationToken.None);
        }
        catch (StoreException)
        {
            // What the probe itself said matters more than a byte that stays.
        }
    }

    /// <summary>Racing creations: one says that it won and its bytes are there; one that comes later does not change them.</summary>
    private static async Task<bool> HasOneWinnerAsync(S3Objects objects, string name, CancellationToken cancellationToken)
    {
        var wins = await Task.WhenAll(Enumerable.Range(0, Racers).Select(racer => TryPutAsync(objects, name, (byte)racer, cancellationToken)));
        var lateWins = await TryPutAsync(objects, name, Racers, cancellationToken);
        var content = new byte[2];
        var (read, _) = await objects.GetAsync(name, 0, content, cancellationToken);
        return !lateWins && wins.Count(win => win) == 1 && read == 1 && wins[content[0]];
    }

    private static async Task<bool> TryPutAsync(S3Objects objects, string name, byte content, CancellationToken cancellationToken)
    {
        using var stream = new MemoryStream([content]);
        return await objects.PutAsync(name, stream, S3Objects.NewNonce(), isConditional: true, cancellationToken);
    }

    private static async Task AbandonAsync(S3Objects objects, string key, string? uploadId)
    {
        try
        {
            await objects.Client.AbortMultipartUploadAsync(objects.Place.Bucket, key, uploadId, CancellationToken.None);
        }
        catch (Exception failure) when (S3Failures.IsFailure(failure))
        {
            // Some servers cannot; what the probe found out counts all the same.
        }
    }

    /// <summary>Racing completions of uploads: one says that it won. A server may know the condition and yet look at it before it takes the name.</summary>
    private static async Task<bool> HasOneUploadWinnerAsync(S3Objects objects, string name, CancellationToken cancellationToken)
    {
        var ready = 0;
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task WhenAllAreReady()
        {
            if (Interlocked.Increment(ref ready) == Racers)
                start.SetResult();
            return start.Task.WaitAsync(LongestWait, cancellationToken);
        }

        var wins = await Task.WhenAll(Enumerable.Range(0, Racers).Select(_ => TryUploadAsync(objects, name, WhenAllAreReady, cancellationToken)));
        return wins.Count(win => win is true) == 1;
    }

    /// <summary>Uploads one part and completes it on the condition that the name is free.</summary>
    /// <param name="beforeCompletion">Ends when the completion may be sent.</param>
    /// <returns>True: it has the name. False: the server refused since the name is taken, or just being taken. Null: it cannot do this at all.</returns>
    private static async Task<bool?> TryUploadAsync(S3Objects objects, string name, Func<Task> beforeCompletion, CancellationToken cancellationToken)
    {
        var key = objects.KeyOf(name);
        var bucket = objects.Place.Bucket;
        string? uploadId = null;
        try
        {
            uploadId = (await objects.Client.InitiateMultipartUploadAsync(bucket, key, cancellationToken)).UploadId;
            using var stream = new MemoryStream([byte.MaxValue]);
            var part = await objects.Client.UploadPartAsync(
                new UploadPartRequest { BucketName = bucket, Key = key, UploadId = uploadId, PartNumber = 1, PartSize = 1, InputStream = stream, UseChunkEncoding = false },
                cancellationToken);
            await beforeCompletion();
            await objects.Client.CompleteMultipartUploadAsync(
                new CompleteMultipartUploadRequest { BucketName = bucket, Key = key, UploadId = uploadId, IfNoneMatch = "*", PartETags = [new(1, part.ETag)] },
                cancellationToken);
            return true;
        }
        catch (Amazon.S3.AmazonS3Exception failure) when (S3Failures.IsTaken(failure) || S3Failures.IsContended(failure))
        {
            await AbandonAsync(objects, key, uploadId);
            return false;
        }
        catch (Exception failure) when (S3Failures.IsFailure(failure))
        {
            // A server that cannot do this at all is one to which nothing is sent in parts.
            if (uploadId is not null)
                await AbandonAsync(objects, key, uploadId);
            return null;
        }
    }
}
