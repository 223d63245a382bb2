using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Strongroom.Workloads.VirtualMachines.Files;
using Strongroom.Workloads.VirtualMachines.Files.Child;

namespace Strongroom.Workloads.FileShares.Smb.Child;

/// <summary>
/// The process that speaks SMB for the server, one for each open share, through libsmbclient: requests come on standard input, answers go to standard output
/// (<see cref="SmbFrames"/>). It ends when the input does.
/// </summary>
/// <remarks>libsmbclient has one connection, one thread and one login in a process: two of them meet in its memory and end it.</remarks>
public static class SmbChild
{
    /// <summary>The first argument of the executable that means this.</summary>
    public const string Verb = "speak-smb";

    public static int Run()
    {
        // What ends the server (Ctrl-C, a closed terminal, systemd, which tells all processes of a service) is not for this process: the server's jobs are to end first.
        using var interrupt = Ignore(PosixSignal.SIGINT);
        using var end = Ignore(PosixSignal.SIGTERM);
        using var hangUp = Ignore(PosixSignal.SIGHUP);
        using var quit = Ignore(PosixSignal.SIGQUIT);
        var output = Confinement.TakeOutput();
        Confinement.Enter(null, []);
        using var input = Console.OpenStandardInput();
        var session = new SmbSession();
        var length = new byte[4];
        while (input.ReadAtLeast(length, length.Length, throwOnEndOfStream: false) == length.Length)
        {
            var request = new byte[BinaryPrimitives.ReadInt32LittleEndian(length)];
            if (input.ReadAtLeast(request, request.Length, throwOnEndOfStream: false) < request.Length) break;
            output.Write(Answer(session, request).Span);
        }

        return 0;
    }

    private static PosixSignalRegistration Ignore(PosixSignal signal) => PosixSignalRegistration.Create(signal, static context => context.Cancel = true);

    private static ReadOnlyMemory<byte> Answer(SmbSession session, byte[] request)
    {
        try
        {
            return session.Answer(request).End();
        }
        catch (SmbCallException failure)
        {
            return new FrameWriter((byte)(session.IsAlive(failure) ? SmbAnswer.Failed : SmbAnswer.Lost)).Put(failure.Error).End();
        }
        catch (DllNotFoundException)
        {
            return new FrameWriter((byte)SmbAnswer.NoLibrary).End();
        }
    }
}

/// <summary>A call of libsmbclient's that failed.</summary>
/// <param name="error">Of errno(3).</param>
internal sealed class SmbCallException(int error) : Exception
{
    public int Error { get; } = error;
}
