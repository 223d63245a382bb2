using System.Buffers.Binary;

namespace Strongroom.Blocks.Nbd.Server;

/// <summary>Takes the data of an option apart; whatever a client sent, nothing is read that is not there.</summary>
internal sealed class NbdOptionReader(ReadOnlyMemory<byte> data)
{
    private ReadOnlyMemory<byte> _left = data;

    public int LeftBytes => _left.Length;

    public bool TryNumber16(out ushort number)
    {
        var isThere = _left.Length >= 2;
        number = isThere ? BinaryPrimitives.ReadUInt16BigEndian(_left.Span) : (ushort)0;
        _left = isThere ? _left[2..] : _left;
        return isThere;
    }

    public bool TryNumber32(out uint number)
    {
        var isThere = _left.Length >= 4;
        number = isThere ? BinaryPrimitives.ReadUInt32BigEndian(_left.Span) : 0;
        _left = isThere ? _left[4..] : _left;
        return isThere;
    }

    /// <summary>A text with its length before it.</summary>
    public bool TryText(out ReadOnlyMemory<byte> text)
    {
        text = default;
        if (!TryNumber32(out var length) || length > _left.Length)
            return false;
        text = _left[..(int)length];
        _left = _left[(int)length..];
        return true;
    }
}
