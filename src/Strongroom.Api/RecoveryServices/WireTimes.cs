using System.Globalization;

namespace Strongroom.Api.RecoveryServices;

/// <summary>How the service prints times.</summary>
internal static class WireTimes
{
    /// <summary>No time yet, in operations and tasks: without a zone, as the service prints it.</summary>
    public const string None = "0001-01-01T00:00:00";

    /// <summary>No backup yet, in items.</summary>
    public const string NeverBackedUp = "2001-01-01T00:00:00Z";

    /// <summary>Seven decimals and Z.</summary>
    public static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);

    public static string Text(DateTimeOffset? at, string none) => at is { } time ? Text(time) : none;

    /// <summary>ISO 8601, such as PT1M2.5S.</summary>
    public static string Duration(TimeSpan duration) => System.Xml.XmlConvert.ToString(duration < TimeSpan.Zero ? TimeSpan.Zero : duration);
}
