using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Store.Tests.Trees.Truth;

/// <summary>A path as bytes, and what can be asked of it.</summary>
internal sealed class RawPath
{
    private const int NameOffset = 19;
    private readonly byte[] bytes;

    public RawPath(string path)
        : this(Encoding.UTF8.GetBytes(path))
    {
    }

    private RawPath(byte[] bytes) => this.bytes = bytes;

    /// <summary>As the calls take it.</summary>
    public byte[] Terminated => [.. bytes, 0];

    public RawPath Join(ReadOnlySpan<byte> name) => new([.. bytes, (byte)'/', .. name]);

    /// <summary>The names in this folder, in no order.</summary>
    public List<byte[]> Names()
    {
        var folder = RawCalls.OpenFolder(Terminated);
        Assert.NotEqual(0, folder);
        var names = new List<byte[]>();
        for (nint entry; (entry = RawCalls.ReadFolder(folder)) != 0;)
        {
            var length = 0;
            while (Marshal.ReadByte(entry, NameOffset + length) != 0)
                length++;
            var name = new byte[length];
            Marshal.Copy(entry + NameOffset, name, 0, length);
            if (!name.AsSpan().SequenceEqual("."u8) && !name.AsSpan().SequenceEqual(".."u8))
                names.Add(name);
        }

        Assert.Equal(0, RawCalls.CloseFolder(folder));
        return names;
    }

    /// <param name="flags">0 to read, 1 to write, 0x42 to make and write.</param>
    public SafeFileHandle Open(int flags)
    {
        var file = RawCalls.Open(Terminated, flags, 0x1B6);
        RawCalls.Require(file, $"open {this}");
        return new(file, ownsHandle: true);
    }

    public RawStat Stat() => RawStat.Of(this);

    public override string ToString() => Encoding.Latin1.GetString(bytes);
}
