using System.Collections.Immutable;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

/// <summary>What an image says of that which it is made over.</summary>
/// <param name="Name">As QEMU takes it (<see cref="BackingNames"/>); null: it is made over nothing.</param>
/// <param name="Format"><c>qcow2</c>, <c>raw</c> and so on; null: it does not say.</param>
internal sealed record BackingReference(string? Name, string? Format)
{
    public static BackingReference None { get; } = new(null, null);
}

/// <summary>An image with all that it is made over, as far as that can be read.</summary>
/// <param name="Paths">Of files and devices, the image first.</param>
/// <param name="Names">What the images name as theirs below them, whether it is a file or not.</param>
/// <param name="Unread">Path of an image of which nobody knows what it is made over; null: the chain is whole.</param>
internal sealed record BackingChain(ImmutableArray<string> Paths, ImmutableArray<string> Names, string? Unread);

/// <summary>Follows images down to their base.</summary>
/// <param name="look">What the image at a path says; null where it cannot be read.</param>
internal sealed class BackingChains(Func<string, BackingReference?> look)
{
    // Of those that QEMU knows, the formats whose images are made over nothing.
    private static readonly string[] Alone = ["raw", "luks", "vdi", "vhdx", "vpc", "parallels", "dmg", "bochs", "cloop", "iso", "fat", "dir"];

    /// <param name="path">Absolute.</param>
    /// <param name="format">As its user takes it; null: its user looks into it.</param>
    public BackingChain Follow(string path, string? format)
    {
        List<string> paths = [], names = [];
        string? unread = null;
        var left = new Stack<(string Path, string? Format)>([(path, format)]);
        while (left.TryPop(out var image))
        {
            // Chains may meet, or form a circle.
            if (paths.Contains(image.Path)) continue;
            paths.Add(image.Path);
            if (Alone.Contains(image.Format)) continue;
            if (look(image.Path) is not { } below)
            {
                unread ??= image.Path;
                continue;
            }

            if (below.Name is not { } name) continue;
            names.Add(name);
            if (BackingNames.PathsIn(name, image.Path) is not { } files) unread ??= image.Path;
            else foreach (var file in files) left.Push((file, below.Format));
        }

        return new([.. paths], [.. names], unread);
    }
}
