using System.Text;
using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Workloads.VirtualMachines.Files.Child;

/// <summary>Answers requests, one after the other.</summary>
internal sealed class ReaderSession(string folder)
{
    private readonly FolderNames _names = new(Path.Combine(folder, "names"));
    private GuestDisks? _disks;
    private (string Device, byte[] Path)? _file;

    /// <summary>Whether nothing can be read any more.</summary>
    public bool IsOver => _disks is { IsReady: false };

    /// <exception cref="FileBrowsingException">What the answer is instead.</exception>
    /// <exception cref="InvalidDataException">The server does not speak this protocol.</exception>
    public FrameWriter Answer(byte[] request)
    {
        var fields = new FrameFields(request);
        return (ReaderRequest)fields.Byte() switch
        {
            ReaderRequest.Open => Open(ref fields),
            ReaderRequest.Find => Find(ref fields),
            ReaderRequest.List => List(ref fields),
            ReaderRequest.Read => Read(ref fields),
            var other => throw new InvalidDataException($"There is no request {other}."),
        };
    }

    private FrameWriter Open(ref FrameFields fields)
    {
        var (usesKvm, memoryMiB) = (fields.Byte() == 1, fields.Int());
        var sockets = new string[fields.Count(256)];
        for (var i = 0; i < sockets.Length; i++) sockets[i] = Encoding.UTF8.GetString(fields.Bytes(256));
        _disks = GuestDisks.Launch(sockets, usesKvm, memoryMiB);
        var volumes = _disks.ListVolumes();
        var answer = new FrameWriter(0).Put(volumes.Count);
        foreach (var (device, fileSystem, label, sizeBytes) in volumes)
            answer.Put(Encoding.UTF8.GetBytes(device)).Put(Encoding.UTF8.GetBytes(fileSystem)).Put(label).Put(sizeBytes);
        return answer;
    }

    private FrameWriter Find(ref FrameFields fields)
    {
        var (_, path) = Locate(ref fields);
        var answer = new FrameWriter(0);
        var name = path.AsSpan(path.AsSpan().LastIndexOf((byte)'/') + 1);
        Put(answer, name, Disks.Stat(path), path);
        return answer;
    }

    private FrameWriter List(ref FrameFields fields)
    {
        var (device, path) = Locate(ref fields);
        var (position, count) = (fields.Long(), fields.Count(ReaderFrames.MaxPageCount));
        if ((Disks.Stat(path).Mode & ModeBits.TypeMask) != ModeBits.Folder) throw new FileBrowsingException(FileBrowsingFault.NotAFolder, "This is no folder.");
        _names.Prepare(Disks, device, path);
        var (names, next) = _names.Read(position, count);
        var stats = names.Count == 0 ? [] : Disks.Stats(path, names);
        var answer = new FrameWriter(0).Put(next ?? -1).Put(names.Count);
        for (var i = 0; i < names.Count; i++)
        {
            var child = path.Length == 1 ? [.. path, .. names[i]] : (byte[])[.. path, (byte)'/', .. names[i]];
            Put(answer, names[i], stats[i], child);
        }

        return answer;
    }

    private FrameWriter Read(ref FrameFields fields)
    {
        var (device, path) = Locate(ref fields);
        var (offset, count) = (fields.Long(), fields.Count(ReaderFrames.MaxReadBytes));

        // Opening a fifo would wait for ever, and a device might be anything.
        if (_file is not var (known, of) || known != device || !of.AsSpan().SequenceEqual(path))
        {
            if ((Disks.Stat(path).Mode & ModeBits.TypeMask) != ModeBits.Regular) throw new FileBrowsingException(FileBrowsingFault.NotAFile, "This is no file.");
            _file = (device, path);
        }

        var answer = new FrameWriter(0);
        Disks.Read(path, offset, count, (data, read) => Copy(answer, data, read));
        return answer;
    }

    private static unsafe void Copy(FrameWriter answer, nint data, int length) => answer.PutRest(new ReadOnlySpan<byte>((void*)data, length));

    private GuestDisks Disks => _disks ?? throw new InvalidDataException("Nothing is open.");

    private (string Device, byte[] Path) Locate(ref FrameFields fields)
    {
        var (device, path) = (Encoding.UTF8.GetString(fields.Bytes(1024)), fields.Bytes(FilePath.MaxLengthBytes));
        Disks.Mount(device);
        return (device, path);
    }

    private void Put(FrameWriter answer, ReadOnlySpan<byte> name, Guestfs.Stat stat, byte[] path)
    {
        var isLink = stat.Inode != -1 && (stat.Mode & ModeBits.TypeMask) == ModeBits.Link;
        // Of a name that cannot be looked at nothing is told.
        if (stat.Inode == -1) stat = default;
        answer.Put(name).Put(stat.Mode).Put(stat.Size).Put(stat.ModifiedSeconds).Put(stat.ModifiedNanoseconds)
            .Put(stat.User).Put(stat.Group).Put(stat.OfDevice).Put(stat.Inode).Put(stat.LinkCount)
            .Put(isLink ? Cut(Disks.ReadLink(path)) : []);
    }

    private static byte[] Cut(byte[] target) => target.Length <= FilePath.MaxLengthBytes ? target : target[..FilePath.MaxLengthBytes];
}
