namespace Strongroom.Store.Tests.Tampering;

/// <summary>What a bad disk, a careless copy or a bad man does to the file of a blob.</summary>
internal static class Tamper
{
    public static readonly string[] Ways = ["truncate", "swap", "older", "head", "middle", "tail", "empty", "longer", "folder", "link", "delete"];

    /// <param name="vault">The folder of the vault.</param>
    /// <param name="name">The blob.</param>
    /// <param name="other">Another of its kind; null where there is none.</param>
    /// <param name="older">The folder of an older state of the vault.</param>
    /// <param name="way">One of <see cref="Ways"/>.</param>
    /// <returns>False where this cannot be done to it.</returns>
    public static bool Do(string vault, string name, string? other, string older, string way)
    {
        var path = Path.Combine(vault, name);
        switch (way)
        {
            case "truncate":
                using (var file = File.OpenWrite(path))
                    file.SetLength(file.Length / 2);
                return true;
            case "swap" when other is not null:
                var (mine, theirs) = (File.ReadAllBytes(path), File.ReadAllBytes(Path.Combine(vault, other)));
                File.WriteAllBytes(path, theirs);
                File.WriteAllBytes(Path.Combine(vault, other), mine);
                return true;
            case "older":
                return PutBackOlder(vault, name, older);
            case "head" or "middle" or "tail":
                Flip(path, way);
                return true;
            case "empty":
                File.WriteAllBytes(path, []);
                return true;
            case "longer":
                File.AppendAllText(path, "and something that was never there");
                return true;
            case "folder":
                File.Delete(path);
                File.WriteAllText(Path.Combine(Directory.CreateDirectory(path).FullName, "x"), "x");
                return true;
            case "link":
                File.Move(path, vault + "-elsewhere");
                File.CreateSymbolicLink(path, vault + "-elsewhere");
                return true;
            case "delete":
                File.Delete(path);
                return true;
            default:
                return false;
        }
    }

    /// <summary>The whole folder of the kind as it was before the last backups; an older state of a single blob there is not, since none changes.</summary>
    private static bool PutBackOlder(string vault, string name, string older)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
            return false;
        Directory.Delete(Path.Combine(vault, name[..slash]), recursive: true);
        Directory.CreateDirectory(Path.Combine(older, name[..slash]));
        TamperLab.CopyFolder(Path.Combine(older, name[..slash]), Path.Combine(vault, name[..slash]));
        return true;
    }

    private static void Flip(string path, string where)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[where switch { "head" => 0, "middle" => bytes.Length / 2, _ => bytes.Length - 1 }] ^= 0x40;
        File.WriteAllBytes(path, bytes);
    }
}
