using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;

namespace Strongroom.Api.RecoveryServices.RegisteredIdentities;

/// <summary>
/// Certificates and identities of servers that register themselves with a vault (backup agents, replication providers). There are no such agents here: no
/// certificate is taken, since it would open nothing, and no identity is there to be removed.
/// </summary>
internal static class RegisteredIdentityEndpoints
{
    private static readonly string[] AuthTypes = ["ACS", "AAD", "AccessControlService", "AzureActiveDirectory"];

    public static void MapRegisteredIdentities(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapPut("/certificates/{certificateName}", (Delegate)RefuseCertificateAsync).WithAction("Microsoft.RecoveryServices/vaults/certificates/write");
        vault.MapDelete("/registeredIdentities/{identityName}", (Delegate)DeleteAsync).WithAction("Microsoft.RecoveryServices/vaults/registeredIdentities/delete");
    }

    private static async Task<IResult> RefuseCertificateAsync(HttpContext context)
    {
        await context.VaultAsync();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var sent = body.OptionalObject("properties") ?? throw ArmErrors.InvalidRequestContent("an object is required", "$.properties");
        if (sent.OptionalText("authType") is { } type && !AuthTypes.Contains(type, StringComparer.OrdinalIgnoreCase))
            throw RecoveryServicesErrors.InvalidInput($"authType is one of {string.Join(", ", AuthTypes)}.", "properties.authType");
        if (!IsCertificate(sent.RequiredText("certificate")))
            throw RecoveryServicesErrors.InvalidInput("The certificate is not an X.509 certificate in base64.", "properties.certificate");
        throw RecoveryServicesErrors.NotSupported(
            "Vaults of this installation take no vault credentials: there are no backup agents, backup servers or replication providers that could register with them. Machines are found on hosts.");
    }

    /// <summary>204 whether it was there or not, as the contract says; nothing ever is.</summary>
    private static async Task<IResult> DeleteAsync(HttpContext context)
    {
        await context.VaultAsync();
        return ArmResults.Empty(StatusCodes.Status204NoContent);
    }

    private static bool IsCertificate(string base64)
    {
        try
        {
            var bytes = Convert.FromBase64String(base64);
            // Clients send the base64 of the bytes, or of their base64.
            if (System.Text.Ascii.IsValid(bytes)) bytes = Convert.FromBase64String(System.Text.Encoding.ASCII.GetString(bytes));
            using var certificate = X509CertificateLoader.LoadCertificate(bytes);
            return true;
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            return false;
        }
    }
}
