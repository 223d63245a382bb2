namespace Strongroom.Cli.Files;

/// <summary>Writes what comes into a file that has its name only when it is whole.</summary>
internal static class WholeFile
{
    /// <summary>Until then it is called <paramref name="path"/><c>.part</c>, which only its owner may read and which is removed when something fails.</summary>
    /// <param name="mode">Who may do what with it in the end; null: its owner alone may read and write it.</param>
    /// <param name="time">When it was changed last; null: now.</param>
    /// <returns>Its length in bytes.</returns>
    /// <exception cref="IOException">There is something at the path, or at that of the part: it stays as it is.</exception>
    public static async Task<long> WriteAsync(Stream content, string path, UnixFileMode? mode, DateTimeOffset? time, CancellationToken cancellationToken)
    {
        var part = path + ".part";
        var file = new FileStream(part, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        try
        {
            long length;
            await using (file)
            {
                await content.CopyToAsync(file, 1 << 20, cancellationToken);
                length = file.Length;
            }

            if (time is { } at) File.SetLastWriteTimeUtc(part, at.UtcDateTime);
            if (mode is { } bits) File.SetUnixFileMode(part, bits);
            File.Move(part, path, overwrite: false);
            return length;
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }
}
