using System.Text;
using System.Text.RegularExpressions;
using Strongroom.Blocks;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Verification;

/// <summary>What a machine writes to its serial port, line by line, as it grows. What a machine prints is not trusted: lines and what is read at a time are bounded.</summary>
internal sealed class ConsoleLog(string file, Regex pattern)
{
    private const int LongestLine = 4096;
    private const int MostAtATime = 1 << 20;

    private readonly StringBuilder _line = new();
    private long _position;

    /// <summary>Reads on.</summary>
    /// <returns>The first line that matches, or null. A line that is not yet ended counts too: a login prompt never ends.</returns>
    public string? Find()
    {
        if (!File.Exists(file)) return null;
        // QEMU's user may write in the folder: a link put in the file's place is not followed.
        using var log = DiskFile.OpenRegular(file);
        var bytes = new byte[(int)Math.Clamp(log.LengthBytes - _position, 0, MostAtATime)];
        var read = RandomAccess.Read(log.Handle, bytes, _position);
        _position += read;
        foreach (var letter in Encoding.Latin1.GetString(bytes, 0, read))
        {
            if (letter is '\n' or '\r')
            {
                if (Matches() is { } found) return found;
                _line.Clear();
            }
            else if (_line.Length < LongestLine && !char.IsControl(letter))
            {
                _line.Append(letter);
            }
        }

        return Matches();
    }

    private string? Matches() => _line.ToString() is { Length: > 0 } line && pattern.IsMatch(line) ? line : null;
}
