using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Strongroom.Arm;
using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Libvirt;

/// <summary>Judges hosts of kind <c>Libvirt</c>: whoever writes them chooses among what the operator has named, and reaches nothing else.</summary>
public sealed partial class LibvirtHostValidator(AllowedLibvirtHosts allowed, ILibvirtCredentials credentials) : IHostValidator
{
    /// <inheritdoc/>
    public string Kind => "Libvirt";

    /// <inheritdoc/>
    public JsonObject Accept(JsonObject sent)
    {
        var uri = sent.RequiredText("uri");
        if (allowed.FindUri(uri) is null)
        {
            throw new HostRefusedException("uri", "HostUriNotAllowed",
                "The URI is none that the server's operator has allowed (strongroom serve --allow-libvirt URI). It is written as the operator wrote it, without the question mark and what follows.");
        }

        var scratch = sent.OptionalText("scratchPath")?.TrimEnd('/') ?? allowed.DefaultScratchPath;
        if (!allowed.AllowsScratch(scratch))
        {
            throw new HostRefusedException("scratchPath", "HostPathNotAllowed",
                $"The scratch path must be a folder that the server's operator has named (strongroom serve --libvirt-scratch DIR), or one below it, absolute, of plain names, and at most {AllowedLibvirtHosts.LongestScratchPath} characters long.");
        }

        var accepted = new JsonObject { ["uri"] = uri, ["scratchPath"] = scratch, ["diskPool"] = Name(sent, "diskPool") ?? "default" };
        if (Name(sent, "network") is { } network) accepted["network"] = network;
        if (Name(sent, "credentials") is { } login) accepted["credentials"] = credentials.IsFor(login, uri) ? login : throw NoCredentials(login);
        accepted["startRestoredMachines"] = sent.OptionalFlag("startRestoredMachines") ?? false;
        return accepted;
    }

    private static HostRefusedException NoCredentials(string name) =>
        new("credentials", "HostCredentialsNotFound", $"The server has no usable credentials '{name}' for this URI; its operator keeps them in the data folder's 'credentials'.");

    private static string? Name(JsonObject sent, string property) => sent.OptionalText(property) switch
    {
        null => null,
        { } name when IsName().IsMatch(name) => name,
        _ => throw new HostRefusedException(property, "InvalidRequestContent", $"'{property}' takes a name of at most 60 letters, digits, dots, dashes and underscores that begins with a letter or digit."),
    };

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,59}\z", RegexOptions.CultureInvariant)]
    private static partial Regex IsName();
}

/// <summary>The door to the logins that the operator keeps for hosts; filled by the composition root.</summary>
/// <remarks>Thread-safe.</remarks>
public interface ILibvirtCredentials
{
    /// <summary>Whether there is a login of this name that may be sent to the host of this URI (without its query).</summary>
    bool IsFor(string name, string uri);
}
