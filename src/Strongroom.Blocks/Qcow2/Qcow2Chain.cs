namespace Strongroom.Blocks.Qcow2;

/// <summary>A layer of a disk: an overlay on the next one. The last layer may be raw.</summary>
internal sealed record Qcow2Layer(DiskFile File, bool IsQcow2);

/// <summary>A qcow2 and all its backing files, every one opened and allowed before any program reads them.</summary>
/// <remarks>
/// Who may write an image may name any file in it, so no name is followed on the image's word: the caller's
/// <see cref="DiskOpenOptions.OpenBackingFile"/> opens each, or refuses. Owns the files.
/// </remarks>
internal sealed class Qcow2Chain : IDisposable
{
    private const int LongestChain = 64;

    private readonly List<Qcow2Layer> _layers = [];

    /// <summary>From the active image down to the base.</summary>
    public IReadOnlyList<Qcow2Layer> Layers => _layers;

    /// <summary>Opens the chain below an image. Owns <paramref name="image"/> when it succeeds; disposes only the backing files when it does not.</summary>
    /// <exception cref="InvalidDataException">A header is damaged, or uses what is refused: encryption, an external data file, a backing file that the policy does not allow.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static async Task<Qcow2Chain> OpenAsync(DiskFile image, DiskOpenOptions options, CancellationToken cancellationToken)
    {
        var chain = new Qcow2Chain();
        try
        {
            var file = image;
            var isQcow2 = true;
            while (true)
            {
                chain._layers.Add(new Qcow2Layer(file, isQcow2));
                if (!isQcow2)
                    return chain;
                var header = ReadAllowed(file);
                if (header.BackingFile is null)
                    return chain;
                if (chain._layers.Count == LongestChain)
                    throw new InvalidDataException($"'{image.Path}' has more than {LongestChain - 1} backing files, or they form a circle.");

                var backingPath = ResolveName(file.Path, header.BackingFile);
                if (header.BackingFormat is not (null or "qcow2" or "raw"))
                    throw new InvalidDataException($"'{file.Path}' has a backing file of format '{header.BackingFormat}'; qcow2 and raw are supported.");
                var backing = await options.OpenBackingFile(backingPath, cancellationToken).ConfigureAwait(false)
                    ?? throw new InvalidDataException($"'{file.Path}' asks for the backing file '{header.BackingFile}', which is not allowed.");
                try
                {
                    isQcow2 = header.BackingFormat is { } format ? format == "qcow2" : DiskImage.StartsAsQcow2(backing.Handle);
                }
                catch
                {
                    backing.Dispose();
                    throw;
                }

                file = backing;
            }
        }
        catch
        {
            chain.DisposeBackingFiles();
            throw;
        }
    }

    public void Dispose() => DisposeFrom(0);

    /// <summary>Closes all but the image itself, which stays the caller's when opening fails.</summary>
    public void DisposeBackingFiles() => DisposeFrom(1);

    private static Qcow2Header ReadAllowed(DiskFile file)
    {
        Qcow2Header header;
        try
        {
            header = Qcow2Header.Read(file.Handle);
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"'{file.Path}': {exception.Message}", exception);
        }

        if (header.IsEncrypted)
            throw new InvalidDataException($"'{file.Path}' is an encrypted qcow2; its content cannot be read without its key.");
        if (header.HasExternalDataFile)
            throw new InvalidDataException($"'{file.Path}' keeps its data in an external data file, which is not supported.");
        if (header.IsMarkedCorrupt)
            throw new InvalidDataException($"'{file.Path}' is marked as corrupt. Repair it first: qemu-img check -r all FILE");
        return header;
    }

    /// <summary>Only plain paths: QEMU would also take "json:" and URLs as names, which could open anything.</summary>
    private static string ResolveName(string imagePath, string name)
    {
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        if (colon >= 0 && name.IndexOf('/', StringComparison.Ordinal) is var slash && (slash < 0 || colon < slash))
            throw new InvalidDataException($"'{imagePath}' names its backing file '{name}', which is not a plain path.");
        return Path.GetFullPath(name, Path.GetDirectoryName(imagePath)!);
    }

    private void DisposeFrom(int first)
    {
        for (var index = first; index < _layers.Count; index++)
            _layers[index].File.Dispose();
    }
}
