using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Strongroom.Store.Tests.Blobs;

namespace Strongroom.Store.S3.Tests;

/// <summary>Uploads in parts, which real servers take; the condition of their last request, which those at hand do not know, is played before them.</summary>
public sealed class MultipartTests(RadosGateway gateway, PlainServer plain)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 600_000)]
    public async Task Blobs_in_parts_keep_every_rule()
    {
        var bucket = await Bucket.MakeAsync(gateway.Endpoint);
        var client = Open(bucket, playsPuts: false);
        using var backend = new S3Backend(client, bucket.Options with { PartLengthBytes = 5 << 20 }, TimeProvider.System);
        Assert.Equal(S3CreateMode.Conditional, await backend.PrepareAsync(Token));
        await Conformity.RequireAsync(backend, 12 << 20, Token);
        Assert.True(client.Parts >= 9);

        // Abandoned and beaten uploads were ended.
        var uploads = await client.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = bucket.Name }, Token);
        Assert.Empty(uploads.MultipartUploads ?? []);
    }

    [Fact(Timeout = 600_000)]
    public async Task A_whole_vault_lives_in_parts()
    {
        var bucket = await Bucket.MakeAsync(plain.Endpoint, PlainServer.Credential, PlainServer.Credential);
        var parts = 0;
        await VaultStory.TellAsync(() =>
        {
            var client = Open(bucket, playsPuts: true);
            client.PartSent += () => Interlocked.Increment(ref parts);
            return new S3Backend(client, bucket.Options with { PartLengthBytes = 300_000 }, TimeProvider.System);
        });
        Assert.True(parts > 20);
    }

    [Fact(Timeout = 600_000)]
    public async Task A_completion_whose_answer_was_lost_is_found_to_be_ours()
    {
        var bucket = await Bucket.MakeAsync(gateway.Endpoint);
        var client = Open(bucket, playsPuts: false);
        using var backend = new S3Backend(client, bucket.Options with { PartLengthBytes = 5 << 20 }, TimeProvider.System);
        Assert.Equal(S3CreateMode.Conditional, await backend.PrepareAsync(Token));
        await using var writer = await backend.CreateAsync("packs/1", Token);
        await writer.AppendAsync(new byte[11 << 20], Token);
        client.LosesCompletions = true;
        Assert.True(await writer.CommitAsync(Token));
        client.LosesCompletions = false;
        Assert.Equal(11 << 20, await backend.GetLengthAsync("packs/1", Token));

        // An upload that is over and made nothing is a failure, not somebody's blob.
        await using var other = await backend.CreateAsync("packs/2", Token);
        await other.AppendAsync(new byte[11 << 20], Token);
        client.DropsCompletions = true;
        await Assert.ThrowsAsync<StoreException>(async () => await other.CommitAsync(Token));
        client.DropsCompletions = false;
        Assert.Null(await backend.GetLengthAsync("packs/2", Token));
    }

    [Fact(Timeout = 600_000)]
    public async Task A_server_whose_completions_look_first_and_take_then_gets_no_parts()
    {
        var bucket = await Bucket.MakeAsync(gateway.Endpoint);
        var client = Open(bucket, playsPuts: false);
        client.IsCareless = true;
        using var backend = new S3Backend(client, bucket.Options with { PartLengthBytes = 5 << 20 }, TimeProvider.System);
        Assert.Equal(S3CreateMode.ConditionalWhole, await backend.PrepareAsync(Token));
    }

    private static ConditionalClient Open(Bucket bucket, bool playsPuts)
    {
        using var client = bucket.Client();
        return new(new BasicAWSCredentials(bucket.AccessKey, bucket.SecretKey), (AmazonS3Config)client.Config, playsPuts);
    }

    /// <summary>Keeps the conditions itself, one request at a time, as a server would that knows them.</summary>
    private sealed class ConditionalClient(AWSCredentials credentials, AmazonS3Config config, bool playsPuts) : AmazonS3Client(credentials, config)
    {
        private readonly SemaphoreSlim gate = new(1, 1);
        private int parts;

        public event Action? PartSent;

        public int Parts => parts;

        /// <summary>True: what a server says to the repetition of a completion that it has done.</summary>
        public bool LosesCompletions { get; set; }

        /// <summary>True: as if the upload had been abandoned.</summary>
        public bool DropsCompletions { get; set; }

        /// <summary>True: the condition is looked at before, and not while, the name is taken.</summary>
        public bool IsCareless { get; set; }

        public override async Task<UploadPartResponse> UploadPartAsync(UploadPartRequest request, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref parts);
            PartSent?.Invoke();
            return await base.UploadPartAsync(request, cancellationToken);
        }

        public override async Task<CompleteMultipartUploadResponse> CompleteMultipartUploadAsync(CompleteMultipartUploadRequest request, CancellationToken cancellationToken = default)
        {
            if (DropsCompletions)
                throw NoSuchUpload();
            if (IsCareless)
            {
                await RequireFreeAsync(request.BucketName, request.Key, cancellationToken);
                await Task.Delay(300, cancellationToken);
                request.IfNoneMatch = null;
                return await base.CompleteMultipartUploadAsync(request, cancellationToken);
            }

            await gate.WaitAsync(cancellationToken);
            try
            {
                if (request.IfNoneMatch == "*")
                    await RequireFreeAsync(request.BucketName, request.Key, cancellationToken);
                request.IfNoneMatch = null;
                var answer = await base.CompleteMultipartUploadAsync(request, cancellationToken);
                return LosesCompletions ? throw NoSuchUpload() : answer;
            }
            finally
            {
                gate.Release();
            }
        }

        public override async Task<PutObjectResponse> PutObjectAsync(PutObjectRequest request, CancellationToken cancellationToken = default)
        {
            if (!playsPuts)
                return await base.PutObjectAsync(request, cancellationToken);
            await gate.WaitAsync(cancellationToken);
            try
            {
                if (request.IfNoneMatch == "*")
                    await RequireFreeAsync(request.BucketName, request.Key, cancellationToken);
                request.IfNoneMatch = null;
                return await base.PutObjectAsync(request, cancellationToken);
            }
            finally
            {
                gate.Release();
            }
        }

        protected override void Dispose(bool disposing)
        {
            gate.Dispose();
            base.Dispose(disposing);
        }

        private static AmazonS3Exception NoSuchUpload() => new("The upload is over.") { StatusCode = HttpStatusCode.NotFound, ErrorCode = "NoSuchUpload" };

        private async Task RequireFreeAsync(string bucket, string key, CancellationToken cancellationToken)
        {
            try
            {
                await GetObjectMetadataAsync(bucket, key, cancellationToken);
            }
            catch (AmazonS3Exception failure) when (failure.StatusCode == HttpStatusCode.NotFound)
            {
                return;
            }

            throw new AmazonS3Exception("The name is taken.") { StatusCode = HttpStatusCode.PreconditionFailed };
        }
    }
}
