using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Strongroom.Store.S3.Tests;

/// <summary>Answers that are lost on the way from a real server.</summary>
public sealed class LostAnswerTests(RadosGateway gateway)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_creation_whose_answer_was_lost_is_found_to_be_ours()
    {
        var (backend, client) = await OpenAsync();
        using (backend)
        {
            client.LosesFirstAnswer = true;
            Assert.True(await backend.PutIfAbsentAsync("mine", "mine"u8.ToArray(), Token));
            Assert.False(await backend.PutIfAbsentAsync("mine", "mine"u8.ToArray(), Token));
            Assert.Equal(2, client.Lost);
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task A_commit_may_be_repeated_until_an_answer_comes()
    {
        var (backend, client) = await OpenAsync();
        using (backend)
        {
            await using var writer = await backend.CreateAsync("mine", Token);
            await writer.AppendAsync(new byte[1000], Token);
            client.LosesAnswers = true;
            var failure = await Assert.ThrowsAsync<StoreException>(async () => await writer.CommitAsync(Token));
            Assert.True(failure.IsTransient);
            client.LosesAnswers = false;
            Assert.True(await writer.CommitAsync(Token));
            Assert.Equal(1000, await backend.GetLengthAsync("mine", Token));
        }
    }

    private async Task<(S3Backend Backend, LossyClient Client)> OpenAsync()
    {
        var bucket = await Bucket.MakeAsync(gateway.Endpoint);
        using var plain = bucket.Client();
        var client = new LossyClient(new BasicAWSCredentials(bucket.AccessKey, bucket.SecretKey), (AmazonS3Config)plain.Config);
        var backend = new S3Backend(client, bucket.Options with { Bucket = bucket.Name }, TimeProvider.System);
        await backend.PrepareAsync(Token);
        return (backend, client);
    }

    /// <summary>The server does what it is asked, and the answer gets lost; the first kind is repeated as the SDK would.</summary>
    private sealed class LossyClient(AWSCredentials credentials, AmazonS3Config config) : AmazonS3Client(credentials, config)
    {
        public bool LosesFirstAnswer { get; set; }

        public bool LosesAnswers { get; set; }

        public int Lost { get; private set; }

        public override async Task<PutObjectResponse> PutObjectAsync(PutObjectRequest request, CancellationToken cancellationToken = default)
        {
            if (LosesFirstAnswer)
            {
                Lost++;
                try
                {
                    await base.PutObjectAsync(request, cancellationToken);
                }
                catch (AmazonS3Exception)
                {
                    // Lost as well.
                }

                request.InputStream.Position = 0;
            }

            var answer = await base.PutObjectAsync(request, cancellationToken);
            return LosesAnswers ? throw new HttpRequestException("The connection broke before the answer came.") : answer;
        }
    }
}
