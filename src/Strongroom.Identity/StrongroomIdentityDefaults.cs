namespace Strongroom.Identity;

/// <summary>Names that other parts of the server may refer to.</summary>
public static class StrongroomIdentityDefaults
{
    /// <summary>The authentication scheme of the API's bearer tokens; the default scheme and the default challenge.</summary>
    public const string AuthenticationScheme = "Bearer";
}
