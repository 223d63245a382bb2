using Microsoft.Win32.SafeHandles;
using Strongroom.Backup.FileShares;
using Strongroom.Store;

namespace Strongroom.Workloads.FileShares;

/// <summary>Lets the store work on a folder that is held open: whatever its names are given to meanwhile, it stays the folder.</summary>
internal static class OpenFolder
{
    /// <summary>Runs the work with a path to the folder. Its failures name the share in place of that path.</summary>
    /// <exception cref="StoreException">As the work's.</exception>
    public static async Task<T> DoAsync<T>(AccountShare share, SafeFileHandle folder, Func<string, Task<T>> work)
    {
        var path = ShareFolderCalls.PathOf(folder);
        try
        {
            return await work(path);
        }
        catch (StoreException failure) when (failure.Message.Contains(path, StringComparison.Ordinal))
        {
            throw new StoreException(failure.Kind, failure.Message.Replace(path, share.Name, StringComparison.Ordinal), failure);
        }
        finally
        {
            GC.KeepAlive(folder);
        }
    }
}
