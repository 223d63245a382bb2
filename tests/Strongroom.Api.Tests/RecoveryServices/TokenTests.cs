using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.Tests.BadInput;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>No endpoint of the server tells anything to one who has no token of its own issuer; a new endpoint is tried the moment it is mapped.</summary>
public sealed class TokenTests
{
    [Fact]
    public async Task Every_endpoint_refuses_a_missing_a_malformed_and_a_foreign_token()
    {
        await using BackupHost host = await BackupHost.StartGuardedAsync();
        using var stranger = RSA.Create(2048);
        string?[] tokens = [null, "", "nonsense", "a.b.c", Foreign("""{"alg":"none","typ":"at+jwt"}""", null), Foreign("""{"alg":"RS256","typ":"at+jwt","kid":"1"}""", stranger)];
        List<string> faults = [];
        int count = 0;
        // An export of jobs is opened by the key in its URL, and by no token.
        foreach (RouteEndpoint endpoint in host.Endpoints.Where(e => e.Metadata.GetMetadata<IAllowAnonymous>() is null))
        {
            foreach (string method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods)
            {
                foreach (string? token in tokens)
                {
                    count++;
                    using var request = new HttpRequestMessage(new HttpMethod(method), $"{host.Authority}{EndpointProbe.Path(endpoint.RoutePattern, Name)}?api-version={BackupHost.Version}");
                    if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
                    if (method is "PUT" or "POST" or "PATCH") request.Content = new StringContent("""{"location":"home"}""", Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
                    Answer answer = await host.SendAsync(request);
                    bool isShaped = method == "HEAD" || answer is { Code.Length: > 0, Message.Length: > 0 };
                    if (answer.Status != 401 || !isShaped || answer.Header("WWW-Authenticate") is null) faults.Add($"{method} {endpoint.RoutePattern.RawText} with '{token}': {answer.Status} {answer.Code}");
                }
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
        Assert.True(count > 400, $"Only {count} were tried.");
    }

    private static string Foreign(string header, RSA? key)
    {
        const string claims = $$"""{"iss":"http://localhost/adfs","aud":"http://localhost/","sub":"admin","oid":"admin","tid":"{{ArmHost.Tenant}}","exp":4102444800,"nbf":1}""";
        string signed = $"{Encode(Encoding.UTF8.GetBytes(header))}.{Encode(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{(key is null ? "" : Encode(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)))}";
    }

    private static string Encode(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    private static string Name(string parameter) => parameter switch
    {
        "subscriptionId" => ArmHost.Subscription,
        "resourceGroupName" => "lab",
        "providerNamespace" => "Microsoft.RecoveryServices",
        "fabricName" => "Azure",
        _ => "name1",
    };
}
