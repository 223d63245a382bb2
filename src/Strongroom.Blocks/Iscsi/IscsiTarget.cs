namespace Strongroom.Blocks.Iscsi;

/// <summary>A target: a name under which disks are shown to who knows a secret.</summary>
/// <param name="Name">An iqn., eui. or naa. name (RFC 7143, 4.2.7): at most 223 bytes, small letters, digits and ".", "-", ":".</param>
/// <param name="Initiator">What an initiator proves.</param>
/// <param name="Luns">The disks; one at least, each number once.</param>
public sealed record IscsiTarget(string Name, ChapCredentials Initiator, IReadOnlyList<IscsiLun> Luns)
{
    private const int LongestNameBytes = 223;

    /// <summary>What the target proves to an initiator that asks (mutual CHAP); null refuses those that ask. Its secret is another than the initiator's.</summary>
    public ChapCredentials? Self { get; init; }

    /// <summary>The only initiator that may log in (RFC 7143, 4.2.7), compared without regard to case; null for any that knows the secret.</summary>
    public string? InitiatorName { get; init; }

    /// <summary>When the target is taken away by itself; null for never.</summary>
    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>All sessions see the same changes, reservations included. Otherwise each initiator port has an overlay of its own, and its units have identities of their own.</summary>
    public bool SharesOverlays { get; init; }

    /// <exception cref="ArgumentException">A part of the target is not as it must be; the message says which.</exception>
    internal void Require()
    {
        if (!IsName(Name))
            throw new ArgumentException($"'{Name}' is no name of an iSCSI target.");
        if (Self is not null && Self.HasSecretOf(Initiator))
            throw new ArgumentException("The two secrets of mutual CHAP must differ (RFC 7143, 9.2.1).");
        if (Luns.Count == 0 || Luns.Select(lun => lun.Number).Distinct().Count() != Luns.Count)
            throw new ArgumentException("A target has one logical unit at least, and each number once.");
        foreach (var lun in Luns)
        {
            if (lun.Serial.Length is < 8 or > 64 || !lun.Serial.All(character => character is > ' ' and <= '~'))
                throw new ArgumentException($"'{lun.Serial}' is no serial number: 8 to 64 printable ASCII characters are.");
            if (lun.Disk.LengthBytes <= 0 || lun.Disk.LengthBytes % 512 != 0)
                throw new ArgumentException($"The disk of LUN {lun.Number} has {lun.Disk.LengthBytes} bytes, which is no number of sectors.");
        }
    }

    internal static bool IsName(string name) =>
        name.Length <= LongestNameBytes
        && (name.StartsWith("iqn.", StringComparison.Ordinal) || name.StartsWith("eui.", StringComparison.Ordinal) || name.StartsWith("naa.", StringComparison.Ordinal))
        && name.Length > 4
        && name.All(character => character is (>= 'a' and <= 'z') or (>= '0' and <= '9') or (>= 'A' and <= 'F') or '.' or '-' or ':');
}
