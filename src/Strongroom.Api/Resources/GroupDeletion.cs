using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Strongroom.Arm;

namespace Strongroom.Api.Resources;

/// <summary>The deletion of one group, as the token in its operation's URL: which group, and when that one was made.</summary>
/// <remarks>The token says all there is to know, so that it still answers after a restart, and a new group of the same name does not count as the old one.</remarks>
internal sealed record GroupDeletion(string GroupName, long CreatedAtTicks)
{
    private const string Version = "1";

    public static string Of(ResourceGroup group) =>
        WebEncoders.Base64UrlEncode(Encoding.UTF8.GetBytes($"{Version}/{group.CreatedAt.UtcTicks.ToString(CultureInfo.InvariantCulture)}/{group.Name}"));

    public static bool TryParse(string token, [NotNullWhen(true)] out GroupDeletion? deletion)
    {
        deletion = null;
        string[] parts;
        try
        {
            parts = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(WebEncoders.Base64UrlDecode(token)).Split('/');
        }
        catch (Exception ex) when (ex is FormatException or ArgumentException)
        {
            return false;
        }
        if (parts is not [Version, var ticks, var name] || !ResourceNames.IsResourceGroup(name)) return false;
        if (!long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out long createdAtTicks)) return false;
        deletion = new GroupDeletion(name, createdAtTicks);
        return true;
    }

    /// <summary>True when the group now found by this name, if any, is another one.</summary>
    public bool IsDone(ResourceGroup? group) => group is null || group.CreatedAt.UtcTicks != CreatedAtTicks;
}
