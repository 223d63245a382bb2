using Strongroom.Store.Trees;

namespace Strongroom.Store.Tests.Fakes;

/// <summary>A folder that goes with the test, whatever the names in it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("strongroom-store-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        Empty(Path);
        Directory.Delete(Path);
    }

    /// <summary>.NET cannot delete what has a name that is not UTF-8 or lies too deep: what is two folders down is moved up before its folder goes.</summary>
    private static void Empty(string path)
    {
        while (true)
        {
            using var top = FolderHandle.Open(path);
            FolderHandle.SetMode(top.Handle, 0x1C0);
            var names = top.ReadNames(CancellationToken.None);
            if (names.Count == 0)
                return;
            foreach (var name in names)
            {
                if (top.Stat(name).Kind == TreeEntryKind.Folder)
                    RemoveFolder(top, name);
                else
                    top.Unlink(name);
            }
        }
    }

    private static void RemoveFolder(FolderHandle top, byte[] name)
    {
        using (var folder = top.OpenFolder(name))
        {
            FolderHandle.SetMode(folder.Handle, 0x1C0);
            foreach (var below in folder.ReadNames(CancellationToken.None))
            {
                var up = LinuxCalls.Terminated(System.Text.Encoding.ASCII.GetBytes($"{Guid.NewGuid():n}"));
                if (folder.Stat(below).Kind != TreeEntryKind.Folder)
                    folder.Unlink(below);
                else
                    Assert.Equal(0, LinuxCalls.RenameAt(folder.Handle, LinuxCalls.Terminated(below), top.Handle, up));
            }
        }

        Assert.Equal(0, LinuxCalls.UnlinkAt(top.Handle, LinuxCalls.Terminated(name), LinuxCalls.AtRemoveFolder));
    }
}
