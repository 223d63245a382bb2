using Strongroom.Store.Blobs.Conformance;

namespace Strongroom.Cli.Store;

/// <summary>What a trial of a folder's rules leaves when its blobs are removed: empty folders. Disposing removes those.</summary>
internal sealed class ConformanceTraces : IDisposable
{
    private readonly List<string> folders = [];

    private ConformanceTraces()
    {
    }

    /// <summary>Before the trial: what is there already is not its own.</summary>
    /// <param name="folder">Null for a service, which has no folders.</param>
    public static ConformanceTraces At(string? folder)
    {
        var traces = new ConformanceTraces();
        if (folder is null)
            return traces;
        traces.folders.Add(Path.Combine(folder, BackendConformance.ScratchFolder.TrimEnd('/')));
        var temporary = Path.Combine(folder, "tmp");
        if (!Directory.Exists(temporary))
            traces.folders.Add(temporary);
        return traces;
    }

    public void Dispose()
    {
        foreach (var folder in folders.Where(Directory.Exists))
            RemoveEmpty(folder);
    }

    private static void RemoveEmpty(string folder)
    {
        try
        {
            foreach (var inner in Directory.EnumerateDirectories(folder))
                RemoveEmpty(inner);
            Directory.Delete(folder);
        }
        catch (IOException)
        {
            // Not empty: another trial is at work there, or a vault was made meanwhile.
        }
    }
}
