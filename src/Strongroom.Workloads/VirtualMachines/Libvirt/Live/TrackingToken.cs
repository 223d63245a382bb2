using System.Diagnostics.CodeAnalysis;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>What a recovery point remembers of its moment: the checkpoint whose bitmaps have recorded every write since.</summary>
/// <param name="DomainId">The domain's uuid.</param>
/// <param name="Checkpoint">Its name in libvirt, which is also that of the bitmaps.</param>
internal sealed record TrackingToken(Guid DomainId, string Checkpoint)
{
    private const string Prefix = "libvirt/1;";

    public static bool TryParse(string? text, [NotNullWhen(true)] out TrackingToken? token)
    {
        token = null;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        var parts = text[Prefix.Length..].Split(';');
        if (parts.Length != 2 || !Guid.TryParse(parts[0], out var domain) || parts[1].Length == 0) return false;
        token = new(domain, parts[1]);
        return true;
    }

    public override string ToString() => $"{Prefix}{DomainId};{Checkpoint}";
}
