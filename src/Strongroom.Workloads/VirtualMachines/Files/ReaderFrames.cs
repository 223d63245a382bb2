using System.Buffers;
using System.Buffers.Binary;

namespace Strongroom.Workloads.VirtualMachines.Files;

/// <summary>What the server asks the process that reads file systems.</summary>
internal enum ReaderRequest : byte
{
    /// <summary>u8: KVM (1) or not (0); i32: memory of the appliance in MiB; i32: count, and so many sockets' paths. Answer: i32 count, and so many volumes: bytes device, bytes file system, bytes label, i64 size.</summary>
    Open = 1,

    /// <summary>bytes device, bytes path. Answer: one entry.</summary>
    Find = 2,

    /// <summary>bytes device, bytes path, i64 position, i32 count. Answer: i64 next position or -1, i32 count, and so many entries.</summary>
    List = 3,

    /// <summary>bytes device, bytes path, i64 offset, i32 length. Answer: what was read, to the frame's end.</summary>
    Read = 4,
}

/// <summary>
/// The protocol between the server and the process that reads file systems, over its standard input and output: a request, then its answer. Each is a frame:
/// i32 length of the rest, u8 (a <see cref="ReaderRequest"/>; of an answer 0, or 1 + a <c>FileBrowsingFault</c> with bytes message), fields. Numbers are little-endian; bytes are i32 length and
/// the bytes; an entry is bytes name, i64 each of mode with type, size, seconds and nanoseconds of the change, user, group, device, inode, links, and bytes link target.
/// </summary>
internal static class ReaderFrames
{
    /// <summary>The longest frame without its length.</summary>
    public const int MaxBytes = 8 << 20;

    /// <summary>The most that is read from a file at once.</summary>
    public const int MaxReadBytes = 2 << 20;

    /// <summary>The most entries in a page.</summary>
    public const int MaxPageCount = 1000;

    public const int EntryNumbers = 9;
}

/// <summary>Writes one frame.</summary>
internal sealed class FrameWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new(256);

    public FrameWriter(byte kind)
    {
        Put(0);
        _bytes.Write([kind]);
    }

    public int LengthBytes => _bytes.WrittenCount;

    public FrameWriter Put(byte value)
    {
        _bytes.Write([value]);
        return this;
    }

    public FrameWriter Put(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.GetSpan(4), value);
        _bytes.Advance(4);
        return this;
    }

    public FrameWriter Put(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.GetSpan(8), value);
        _bytes.Advance(8);
        return this;
    }

    public FrameWriter Put(ReadOnlySpan<byte> value)
    {
        Put(value.Length);
        _bytes.Write(value);
        return this;
    }

    /// <summary>Bytes without their length, at the frame's end.</summary>
    public FrameWriter PutRest(ReadOnlySpan<byte> value)
    {
        _bytes.Write(value);
        return this;
    }

    /// <summary>The frame, with its length.</summary>
    public ReadOnlyMemory<byte> End()
    {
        var frame = _bytes.WrittenMemory.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(frame, frame.Length - 4);
        return frame;
    }
}

/// <summary>Reads one frame's fields in order. The other side is believed in nothing.</summary>
/// <remarks>Everything throws <see cref="InvalidDataException"/> where the frame has no such field.</remarks>
internal ref struct FrameFields(ReadOnlySpan<byte> frame)
{
    private ReadOnlySpan<byte> _rest = frame;

    public byte Byte() => Take(1)[0];

    public int Int() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public long Long() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public byte[] Bytes(int maxLengthBytes)
    {
        var length = Int();
        return length <= maxLengthBytes ? Take(length).ToArray() : throw new InvalidDataException($"A field of {length} bytes is longer than {maxLengthBytes}.");
    }

    /// <summary>A count of things to come.</summary>
    public int Count(int most)
    {
        var count = Int();
        return count >= 0 && count <= most ? count : throw new InvalidDataException($"{count} is no count up to {most}.");
    }

    public ReadOnlySpan<byte> Rest() => Take(_rest.Length);

    public readonly void End()
    {
        if (_rest.Length > 0) throw new InvalidDataException($"A frame is {_rest.Length} bytes too long.");
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length < 0 || length > _rest.Length) throw new InvalidDataException("A frame ends within a field.");
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
