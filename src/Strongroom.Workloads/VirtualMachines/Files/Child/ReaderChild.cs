using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Workloads.VirtualMachines.Files.Child;

/// <summary>
/// The process that reads file systems of a recovery point for the server: requests come on standard input, answers go to standard output (<see cref="ReaderFrames"/>).
/// When the input ends, so when the server is gone, however that came, it empties its folder and ends with all that it has started.
/// </summary>
/// <remarks>Arguments: the folder that is its own; the user to become, where the server is root, then further groups.</remarks>
public static class ReaderChild
{
    /// <summary>The first argument of the executable that means this.</summary>
    public const string Verb = "read-file-systems";

    public static int Run(string[] arguments)
    {
        var folder = arguments[0];
        Confinement.LeadGroup();
        var output = Confinement.TakeOutput();
        var requests = new BlockingCollection<byte[]>(1);
        new Thread(() => ReadRequests(folder, requests)) { IsBackground = true }.Start();

        uint[] ids = [.. arguments.Skip(1).Select(static id => uint.Parse(id, CultureInfo.InvariantCulture))];
        Confinement.Enter(ids.Length > 0 ? ids[0] : null, [.. ids.Skip(1)]);

        // On this thread alone: the kernel ends the appliance when the thread that started it ends.
        var session = new ReaderSession(folder);
        foreach (var request in requests.GetConsumingEnumerable())
        {
            output.Write(Answer(session, request).Span);
            // The server starts another.
            if (session.IsOver) break;
        }

        return 0;
    }

    private static ReadOnlyMemory<byte> Answer(ReaderSession session, byte[] request)
    {
        try
        {
            return session.Answer(request).End();
        }
        catch (FileBrowsingException failure)
        {
            return new FrameWriter((byte)(1 + failure.Fault)).Put(Encoding.UTF8.GetBytes(failure.Message.Length > 400 ? failure.Message[..400] : failure.Message)).End();
        }
    }

    private static void ReadRequests(string folder, BlockingCollection<byte[]> requests)
    {
        try
        {
            using var input = Console.OpenStandardInput();
            var length = new byte[4];
            while (true)
            {
                input.ReadExactly(length);
                var request = new byte[BinaryPrimitives.ReadInt32LittleEndian(length)];
                input.ReadExactly(request);
                requests.Add(request);
            }
        }
        catch (EndOfStreamException)
        {
            // The server has let go.
        }
        finally
        {
            try { Empty(new(folder)); }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException) { /* The server removes it, if it still runs. */ }
            Confinement.EndGroup();
        }
    }

    /// <summary>The folder itself may be in another's.</summary>
    private static void Empty(DirectoryInfo folder)
    {
        foreach (var entry in folder.EnumerateFileSystemInfos())
        {
            if (entry is DirectoryInfo { LinkTarget: null } child) child.Delete(recursive: true);
            else entry.Delete();
        }
    }
}
