using System.Buffers.Binary;
using System.Text;
using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Workloads.VirtualMachines.Files;

/// <summary>Requests to the process that reads file systems, and its answers, of which none is believed. One request at a time.</summary>
/// <param name="requests">Its input.</param>
/// <param name="answers">Its output.</param>
internal sealed class ReaderConnection(Stream requests, Stream answers)
{
    private const int MaxMessageBytes = 4096;

    /// <summary>Sends a request and returns the fields of its answer.</summary>
    /// <exception cref="FileBrowsingException">The process says so.</exception>
    /// <exception cref="IOException">It is gone.</exception>
    /// <exception cref="InvalidDataException">It talks nonsense.</exception>
    public async Task<byte[]> AskAsync(FrameWriter request, CancellationToken cancellationToken)
    {
        await requests.WriteAsync(request.End(), cancellationToken);
        await requests.FlushAsync(cancellationToken);
        var head = new byte[5];
        await answers.ReadExactlyAsync(head, cancellationToken);
        var length = BinaryPrimitives.ReadInt32LittleEndian(head) - 1;
        if (length is < 0 or > ReaderFrames.MaxBytes) throw new InvalidDataException($"A frame of {length} bytes.");
        var fields = new byte[length];
        await answers.ReadExactlyAsync(fields, cancellationToken);
        return head[4] == 0 ? fields : throw Refusal((FileBrowsingFault)(head[4] - 1), fields);
    }

    private static FileBrowsingException Refusal(FileBrowsingFault fault, byte[] fields)
    {
        var reader = new FrameFields(fields);
        var message = reader.Bytes(MaxMessageBytes);
        reader.End();
        if (!Enum.IsDefined(fault)) throw new InvalidDataException($"There is no fault {fault}.");
        return new(fault, ReaderAnswers.Plain(Encoding.UTF8.GetString(message), 400));
    }
}
