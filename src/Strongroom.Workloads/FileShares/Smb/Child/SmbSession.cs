using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Strongroom.Workloads.VirtualMachines.Files;

namespace Strongroom.Workloads.FileShares.Smb.Child;

/// <summary>Answers the server's requests about one share.</summary>
internal sealed unsafe class SmbSession
{
    private const int NoEntry = 2, Exists = 17;
    private const int StatBytes = 256;
    private const int FileShareType = 3;
    private const int WriteOnly = 1, Create = 0x40, Exclusive = 0x80;
    private const int NameLengthOffset = 24, NameOffset = 28; // struct smbc_dirent
    private const int MaxUrlNameBytes = 4096;
    private const uint WriteBits = 0x92; // 0222

    private static readonly bool s_isArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    private string _host = "";
    private byte[] _share = [];
    private int _folder = -1;
    private bool _isOpen;
    private SmbRequest _request;

    /// <exception cref="SmbCallException">The call failed.</exception>
    /// <exception cref="InvalidDataException">The server talks nonsense: its process is another version than this.</exception>
    public FrameWriter Answer(byte[] request)
    {
        var fields = new FrameFields(request);
        var answer = new FrameWriter((byte)SmbAnswer.Done);
        _request = (SmbRequest)fields.Byte();
        switch (_request)
        {
            case SmbRequest.Open: return Open(ref fields, answer);
            case SmbRequest.ListShares: return ListShares(answer);
            case SmbRequest.List: BeginList(ref fields); return More(answer);
            case SmbRequest.More: return More(answer);
            case SmbRequest.Find: return Find(ref fields, answer);
            case SmbRequest.ReadSecurity: return ReadSecurity(ref fields, answer);
            case SmbRequest.OpenFile: return OpenFile(ref fields, answer);
            case SmbRequest.State: return State(ref fields, answer);
            case SmbRequest.Read: return Read(ref fields, answer);
            case SmbRequest.Write: Write(ref fields); return answer;
            case SmbRequest.Close: Must(SmbCalls.Close(fields.Int())); return answer;
            case SmbRequest.Rename: Must(SmbCalls.Rename(Url(ref fields), Url(ref fields))); return answer;
            case SmbRequest.Delete: Must(SmbCalls.Unlink(Url(ref fields))); return answer;
            case SmbRequest.MakeFolder: Must(SmbCalls.MakeFolder(Url(ref fields), 0x1ED)); return answer;
            case SmbRequest.SetTimes: SetTimes(ref fields); return answer;
            case SmbRequest.WriteSecurity: WriteSecurity(ref fields); return answer;
            case SmbRequest.SetAttributes: SetAttributes(ref fields); return answer;
            case var other: throw new InvalidDataException($"There is no request {other}.");
        }
    }

    /// <summary>Whether the share still answers after a failure. That a name is taken only the server can have said; that it is not the library says also where it reaches nobody.</summary>
    public bool IsAlive(SmbCallException failure) =>
        _isOpen && (failure.Error is Exists || SmbCalls.Stat(SmbUrl.Of(_host, _share, []), stackalloc byte[StatBytes]) == 0);

    private FrameWriter Open(ref FrameFields fields, FrameWriter answer)
    {
        (_host, _share) = (Encoding.ASCII.GetString(fields.Bytes(MaxUrlNameBytes)), fields.Bytes(MaxUrlNameBytes));
        SmbLibrary.Start(fields.Bytes(MaxUrlNameBytes), fields.Bytes(MaxUrlNameBytes), fields.Bytes(MaxUrlNameBytes));
        _folder = Must(SmbCalls.OpenFolder(SmbUrl.Of(_host, _share, [])));
        if (_share.Length == 0) return answer.Put((byte)0);
        EndList();
        _isOpen = true;
        return answer.Put(HasSecurity() ? (byte)1 : (byte)0);
    }

    private FrameWriter ListShares(FrameWriter answer)
    {
        var names = new List<byte[]>();
        while (SmbCalls.ReadFolder(_folder) is var entry && entry != null)
        {
            var name = new ReadOnlySpan<byte>(entry + NameOffset, *(int*)(entry + NameLengthOffset));
            if (*(int*)entry == FileShareType) names.Add(name.TrimEnd((byte)0).ToArray());
        }

        MustBeTheEnd();
        answer.Put(names.Count);
        foreach (var name in names) answer.Put(name);
        return answer;
    }

    private void BeginList(ref FrameFields fields)
    {
        EndList();
        _folder = Must(SmbCalls.OpenFolder(Url(ref fields)));
    }

    private void EndList()
    {
        if (_folder >= 0) _ = SmbCalls.CloseFolder(_folder);
        _folder = -1;
    }

    /// <summary>The library has read the whole folder when it was opened.</summary>
    /// <exception cref="SmbCallException">It cannot tell the next entry, which is not the end.</exception>
    private FrameWriter More(FrameWriter answer)
    {
        var entries = new FrameWriter(0);
        Span<byte> stat = stackalloc byte[StatBytes];
        var count = 0;
        for (; _folder >= 0 && count < SmbFrames.MaxEntries; count++)
        {
            var entry = SmbCalls.ReadFolder(_folder, stat);
            if (entry == null)
            {
                MustBeTheEnd();
                break;
            }

            // struct libsmb_file_info: u64 size, u16 attributes, ids, then the times of birth, write, access and change, and the name.
            entries.Put(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(*(byte**)(entry + 88)))
                .Put(*(long*)entry).Put((int)*(ushort*)(entry + 8));
            PutTime(entries, new(entry + 24, 16));
            PutTime(entries, new(entry + 72, 16));
            PutTime(entries, new(entry + 40, 16));
            entries.Put(BinaryPrimitives.ReadInt64LittleEndian(stat[8..]));
        }

        if (count < SmbFrames.MaxEntries) EndList();
        return answer.Put(count).PutRest(entries.End().Span[5..]);
    }

    private FrameWriter Find(ref FrameFields fields, FrameWriter answer)
    {
        Span<byte> stat = stackalloc byte[StatBytes];
        Must(SmbCalls.Stat(Url(ref fields), stat));
        var mode = BinaryPrimitives.ReadInt32LittleEndian(stat[(s_isArm ? 16 : 24)..]);
        return PutState(answer.Put((mode & 0xF000) == 0x4000 ? (byte)1 : (byte)0), stat).Put(BinaryPrimitives.ReadInt64LittleEndian(stat[8..]));
    }

    private FrameWriter ReadSecurity(ref FrameFields fields, FrameWriter answer)
    {
        var text = new byte[SmbFrames.MaxSecurityBytes];
        Must(SmbCalls.GetAttribute(Url(ref fields), "system.nt_sec_desc.*\0"u8, text, text.Length - 1));
        return answer.Put(text.AsSpan(0, text.AsSpan().IndexOf((byte)0)));
    }

    /// <summary>The library looks for names of accounts before it tells of access rights, even where it is asked for none: without that service there are none to be had.</summary>
    private bool HasSecurity()
    {
        Span<byte> text = new byte[SmbFrames.MaxSecurityBytes];
        return SmbCalls.GetAttribute(SmbUrl.Of(_host, _share, []), "system.nt_sec_desc.*\0"u8, text, text.Length - 1) >= 0 || Marshal.GetLastPInvokeError() is 1 or 13;
    }

    private FrameWriter OpenFile(ref FrameFields fields, FrameWriter answer)
    {
        var url = Url(ref fields);
        return answer.Put(Must(SmbCalls.Open(url, fields.Byte() == 1 ? WriteOnly | Create | Exclusive : 0, 0x1A4)));
    }

    private static FrameWriter State(ref FrameFields fields, FrameWriter answer)
    {
        Span<byte> stat = stackalloc byte[StatBytes];
        Must(SmbCalls.Stat(fields.Int(), stat));
        return PutState(answer, stat);
    }

    private static FrameWriter Read(ref FrameFields fields, FrameWriter answer)
    {
        var (file, offset, buffer) = (fields.Int(), fields.Long(), new byte[fields.Count(SmbFrames.MaxPieceBytes)]);
        if (SmbCalls.Seek(file, offset, 0) != offset) throw new SmbCallException(Marshal.GetLastPInvokeError());
        var count = (int)SmbCalls.Read(file, buffer, buffer.Length);
        Must(count);
        return answer.PutRest(buffer.AsSpan(0, count));
    }

    private static void Write(ref FrameFields fields)
    {
        var (file, offset) = (fields.Int(), fields.Long());
        var rest = fields.Rest();
        if (SmbCalls.Seek(file, offset, 0) != offset) throw new SmbCallException(Marshal.GetLastPInvokeError());
        while (rest.Length > 0) rest = rest[Must((int)SmbCalls.Write(file, rest, rest.Length))..];
    }

    /// <summary>In this order: the first cuts the time of the last write to seconds, the second takes the attributes away.</summary>
    private void SetTimes(ref FrameFields fields)
    {
        var url = Url(ref fields);
        var attributes = fields.Int();
        var (born, _) = (fields.Long(), fields.Int());
        var (seconds, nanoseconds) = (fields.Long(), fields.Int());
        if (born != 0)
        {
            // Without the attributes the library gives folders those of files.
            var value = Encoding.ASCII.GetBytes($"MODE:0x{attributes:x},CREATE_TIME:{born}\0");
            Must(SmbCalls.SetAttribute(url, "system.dos_attr.*\0"u8, value, value.Length - 1, 0));
        }

        Must(SmbCalls.ChangeTimes(url, [seconds, nanoseconds / 1000, seconds, nanoseconds / 1000]));
    }

    private void SetAttributes(ref FrameFields fields)
    {
        var url = Url(ref fields);
        var attributes = fields.Int();
        // smbc_chmod: no bit to write is read-only, the bits to execute are archive, system and hidden.
        var mode = 0x124u | ((attributes & 1) != 0 ? 0 : WriteBits) | ((attributes & 0x20) != 0 ? 0x40u : 0) | ((attributes & 4) != 0 ? 8u : 0) | ((attributes & 2) != 0 ? 1u : 0);
        Must(SmbCalls.ChangeMode(url, mode));
    }

    private void WriteSecurity(ref FrameFields fields)
    {
        var url = Url(ref fields);
        byte[] text = [.. fields.Bytes(SmbFrames.MaxSecurityBytes), 0];
        Must(SmbCalls.SetAttribute(url, "system.nt_sec_desc.*\0"u8, text, text.Length - 1, 0));
    }

    private byte[] Url(ref FrameFields fields) => SmbUrl.Of(_host, _share, fields.Bytes(SmbFrames.MaxBytes));

    private static void MustBeTheEnd()
    {
        if (Marshal.GetLastPInvokeError() is var error and not 0) throw new SmbCallException(error);
    }

    private static int Must(int result) => result >= 0 ? result : throw new SmbCallException(Marshal.GetLastPInvokeError());

    private static FrameWriter PutState(FrameWriter answer, ReadOnlySpan<byte> stat)
    {
        answer.Put(BinaryPrimitives.ReadInt64LittleEndian(stat[48..]));
        PutTime(answer, stat[88..]);
        return PutTime(answer, stat[104..]);
    }

    private static FrameWriter PutTime(FrameWriter answer, ReadOnlySpan<byte> time) =>
        answer.Put(BinaryPrimitives.ReadInt64LittleEndian(time)).Put((int)BinaryPrimitives.ReadInt64LittleEndian(time[8..]));
}
