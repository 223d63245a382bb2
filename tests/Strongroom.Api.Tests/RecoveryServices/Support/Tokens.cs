using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Identity.Keys;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices.Support;

/// <summary>Tokens of a guarded host, signed with its own key.</summary>
public sealed class Tokens(string authority, SigningKeyRing keys, string keysFolder, TimeProvider time)
{
    /// <summary>Who owns the subscription.</summary>
    public static readonly Guid Administrator = Guid.Parse("aaaaaaaa-0000-0000-0000-000000000001");

    public static RoleAssignment AdministratorsRole { get; } =
        new(Guid.Parse("aaaaaaaa-0000-0000-0000-000000000002"), BackupHost.Subscription, BuiltInRoles.Owner.Id, Administrator, "ServicePrincipal", DateTimeOffset.UnixEpoch, null) { IsStanding = true };

    /// <summary>A token of a principal; of this server and an hour's life, unless told otherwise.</summary>
    public string For(Guid principal, string? audience = null, TimeSpan? life = null)
    {
        DateTimeOffset now = time.GetUtcNow();
        var header = new JsonObject { ["alg"] = "RS256", ["typ"] = "at+jwt", ["kid"] = keys.Current.KeyId };
        var claims = new JsonObject
        {
            ["iss"] = $"{authority}/{ArmHost.Tenant}/v2.0",
            ["aud"] = audience ?? authority + "/",
            ["sub"] = principal.ToString(),
            ["oid"] = principal.ToString(),
            ["appid"] = ClientOf(principal),
            ["nbf"] = now.AddHours(-2).ToUnixTimeSeconds(),
            ["exp"] = (now + (life ?? TimeSpan.FromHours(1))).ToUnixTimeSeconds(),
        };
        using var rsa = RSA.Create();
        rsa.ImportFromPem(File.ReadAllText(Directory.GetFiles(keysFolder, "*.pem").Single()));
        string signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(rsa.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    /// <summary>The application id that goes with an object id.</summary>
    public static string ClientOf(Guid principal) => "c" + principal.ToString()[1..];

    private static string Encode(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
}
