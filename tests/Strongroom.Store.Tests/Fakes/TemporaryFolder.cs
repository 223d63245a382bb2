using Strongroom.Store.Trees;

namespace Strongroom.Store.Tests.Fakes;

/// <summary>A folder that goes with the test, whatever the names in it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("strongroom-store-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        using (var folder = FolderHandle.Open(Path))
            Empty(folder);
        Directory.Delete(Path);
    }

    /// <summary>.NET cannot delete what has a name that is not UTF-8.</summary>
    private static void Empty(FolderHandle folder)
    {
        FolderHandle.SetMode(folder.Handle, 0x1C0);
        foreach (var name in folder.ReadNames(CancellationToken.None))
        {
            if (folder.Stat(name).Kind != TreeEntryKind.Folder)
            {
                folder.Unlink(name);
                continue;
            }

            using (var below = folder.OpenFolder(name))
                Empty(below);
            Assert.Equal(0, LinuxCalls.UnlinkAt(folder.Handle, LinuxCalls.Terminated(name), LinuxCalls.AtRemoveFolder));
        }
    }
}
