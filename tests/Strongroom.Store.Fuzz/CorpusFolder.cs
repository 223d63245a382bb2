using System.Security.Cryptography;

namespace Strongroom.Store.Fuzz;

/// <summary>Inputs of one target that went new ways, kept from run to run: a file each, named by its digest.</summary>
internal sealed class CorpusFolder(string folder)
{
    /// <summary>In an order that does not depend on the file system.</summary>
    public IEnumerable<byte[]> Load() =>
        Directory.Exists(folder) ? [.. Directory.GetFiles(folder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)] : [];

    public void Keep(byte[] input)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(input).AsSpan(0, 16))), input);
    }
}
