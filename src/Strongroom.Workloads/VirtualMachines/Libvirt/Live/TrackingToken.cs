using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>What a recovery point remembers of its moment: the checkpoint whose bitmaps have recorded every write since.</summary>
/// <param name="DomainId">The domain's uuid.</param>
/// <param name="Checkpoint">Its name in libvirt, which is also that of the bitmaps.</param>
/// <param name="PointId">Of the recovery point of that moment: what the bitmaps do not have is as it was there, and in no later point. Empty where that is not known (version 1).</param>
/// <param name="Disks">Which disks the bitmaps are of: <see cref="DiskIdentity"/> by target. Empty where that is not known (version 1).</param>
/// <remarks>As text, with what is not a letter or a digit escaped as in a URI: <c>libvirt/2;{domain};{checkpoint};{point};{target}={identity};...</c>.</remarks>
internal sealed record TrackingToken(Guid DomainId, string Checkpoint, Guid PointId, ImmutableSortedDictionary<string, string> Disks)
{
    private const string FirstVersion = "libvirt/1;", Version = "libvirt/2;";

    public static bool TryParse(string? text, [NotNullWhen(true)] out TrackingToken? token)
    {
        token = null;
        if (text is null) return false;
        var isFirst = text.StartsWith(FirstVersion, StringComparison.Ordinal);
        if (!isFirst && !text.StartsWith(Version, StringComparison.Ordinal)) return false;
        var parts = text[Version.Length..].Split(';');
        var point = Guid.Empty;
        if (!Guid.TryParse(parts[0], out var domain) || parts.Length < 2 || parts[1].Length == 0) return false;
        if (isFirst ? parts.Length > 2 : parts.Length < 3 || !Guid.TryParse(parts[2], out point)) return false;
        var disks = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var part in parts.Skip(3))
        {
            if (part.Split('=') is not [{ Length: > 0 } target, { Length: > 0 } identity]) return false;
            disks[Uri.UnescapeDataString(target)] = Uri.UnescapeDataString(identity);
        }

        token = new(domain, parts[1], point, disks.ToImmutable());
        return true;
    }

    public override string ToString() => string.Join(';', [$"{Version}{DomainId}", Checkpoint, PointId.ToString(), .. Disks.Select(disk => $"{Uri.EscapeDataString(disk.Key)}={Uri.EscapeDataString(disk.Value)}")]);
}
