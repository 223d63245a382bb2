namespace Strongroom.Cli.Files;

/// <summary>Writes what comes into a file that has its name only when it is whole.</summary>
internal static class WholeFile
{
    /// <summary>Until then it is called <paramref name="path"/><c>.part</c>, which is removed when something fails.</summary>
    /// <returns>Its length in bytes.</returns>
    /// <exception cref="IOException">There is something at the path, or at that of the part: it stays as it is.</exception>
    public static async Task<long> WriteAsync(Stream content, string path, CancellationToken cancellationToken)
    {
        var part = path + ".part";
        var file = new FileStream(part, FileMode.CreateNew, FileAccess.Write);
        try
        {
            long length;
            await using (file)
            {
                await content.CopyToAsync(file, 1 << 20, cancellationToken);
                length = file.Length;
            }

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
