using System.Globalization;
using System.Text;
using Strongroom.Hosting;

namespace Strongroom.TimeTravel;

/// <summary><c>DIR/clock</c>: how far the clock of this data folder is ahead of the machine's, as <c>[-]d.hh:mm:ss.fffffff</c> and a line feed. Only folders of testers have it.</summary>
internal sealed class ClockFile(string path)
{
    /// <summary>Times that a clock can be moved to.</summary>
    public static DateTimeOffset Earliest { get; } = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <inheritdoc cref="Earliest"/>
    public static DateTimeOffset Latest { get; } = new(2200, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The clock of a data folder: the moved one where it was made for it, the machine's else.</summary>
    /// <param name="isWanted">Whether a movable clock is asked for.</param>
    /// <param name="startAt">What a new folder's clock says at first; a folder that has a clock goes on by that.</param>
    /// <exception cref="DataFolderException">The folder was made for the other kind of clock: a real server's recovery points must not expire by a test, and what a moved clock dated lies in the future.</exception>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static TimeProvider Open(DataFolder data, bool isWanted, DateTimeOffset? startAt)
    {
        var file = new ClockFile(data.ClockFile);
        if (File.Exists(data.ClockFile))
        {
            return isWanted
                ? new MovableClock(file.Read())
                : throw new DataFolderException($"The data folder '{data.Root}' was made with --time-travel: its clock is not the machine's. Start it with --time-travel, or give this server a folder of its own.", null);
        }

        if (!isWanted) return TimeProvider.System;
        // The administrator is made at the first start, after this.
        if (File.Exists(data.AdministratorFile))
            throw new DataFolderException($"The data folder '{data.Root}' was made without --time-travel: a clock that is moved would expire its recovery points. Give a server with --time-travel a folder of its own.", null);
        var ahead = startAt is { } time ? time - TimeProvider.System.GetUtcNow() : TimeSpan.Zero;
        file.Write(ahead);
        return new MovableClock(ahead);
    }

    /// <summary>Durable on return.</summary>
    /// <exception cref="IOException">It cannot be written; the old one is untouched.</exception>
    public void Write(TimeSpan ahead) =>
        AtomicFile.Write(path, Encoding.ASCII.GetBytes(ahead.ToString("c", CultureInfo.InvariantCulture) + "\n"), AtomicFile.Public);

    private TimeSpan Read() => TimeSpan.TryParseExact(File.ReadAllText(path).Trim(), "c", CultureInfo.InvariantCulture, out var ahead)
        ? ahead
        : throw new InvalidDataException($"'{path}' does not say how far the clock is ahead. Restore it from a copy of the data folder.");
}
