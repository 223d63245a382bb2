using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using Amazon.S3;

namespace Strongroom.Store.S3;

/// <summary>Clients of an S3 server as the store needs them.</summary>
public static class S3Connection
{
    private const string DefaultRegion = "us-east-1";
    private const int Retries = 6;

    /// <summary>Connects with the credentials that the SDK finds: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE and its files, or the machine's role.</summary>
    /// <param name="options">The place.</param>
    /// <param name="region">Null: AWS_REGION, or us-east-1.</param>
    /// <param name="endpoint">A server other than Amazon's, which is addressed path-style; null for Amazon.</param>
    /// <param name="time">Given to the backend.</param>
    /// <exception cref="StoreException">AccessDenied: there are no credentials.</exception>
    public static S3Backend Open(S3Options options, string? region, Uri? endpoint, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        AWSCredentials credentials;
        try
        {
            credentials = DefaultAWSCredentialsIdentityResolver.GetCredentials();
        }
        catch (AmazonClientException failure)
        {
            throw new StoreException(
                StoreErrorKind.AccessDenied, "No credentials for S3 were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.", failure);
        }

        return new(MakeClient(credentials, region, endpoint), options, time);
    }

    /// <summary>A client that repeats failed requests with growing, jittered pauses, and sends nothing that only Amazon's servers take.</summary>
    public static IAmazonS3 MakeClient(AWSCredentials credentials, string? region, Uri? endpoint)
    {
        region ??= FallbackRegionFactory.GetRegionEndpoint(includeInstanceMetadata: false)?.SystemName ?? DefaultRegion;
        var config = new AmazonS3Config
        {
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = Retries,
            Timeout = TimeSpan.FromSeconds(100),

            // Servers of others do not know Amazon's newer checksums; the signature covers the body's SHA-256 anyway.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (endpoint is null)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }
        else
        {
            config.ServiceURL = endpoint.ToString();
            config.AuthenticationRegion = region;
            config.ForcePathStyle = true;
        }

        return new AmazonS3Client(credentials, config);
    }
}
