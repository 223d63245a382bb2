using System.Globalization;

namespace Strongroom.Clients.Kill;

/// <summary>A share's folder that is filled and changed by the choices of a seed. Names begin with what they are, so that none is ever of another kind.</summary>
internal sealed class ChangingShare(string path, Random random)
{
    private const int Folders = 12;
    private const int FirstFiles = 240;
    private const int ChangesEach = 40;
    private const int MostBytes = 96 << 10;
    private const int LargeBytes = 6 << 20;
    private int _number;

    public void Fill()
    {
        for (var i = 0; i < Folders; i++) Directory.CreateDirectory(Path.Combine(path, i % 3 == 0 ? $"folder{i}" : $"folder{i - (i % 3)}/folder{i}"));
        for (var i = 0; i < FirstFiles; i++) Add();
        for (var i = 0; i < 10; i++) File.CreateSymbolicLink(Path.Combine(Folder(), $"link{++_number}"), $"folder{random.Next(9)}/nothing");
        Large();
    }

    /// <summary>Some files are new, some go, some have other bytes, and some another name.</summary>
    public void Change()
    {
        Large();
        for (var i = 0; i < ChangesEach; i++)
        {
            var files = Directory.GetFiles(path, "file*", SearchOption.AllDirectories);
            Array.Sort(files, StringComparer.Ordinal);
            var file = files[random.Next(files.Length)];
            switch (random.Next(4))
            {
                case 0: File.Delete(file); Add(); break;
                case 1: File.Move(file, Path.Combine(Folder(), $"file{++_number}")); break;
                case 2: File.WriteAllBytes(file, Bytes(random.Next(MostBytes))); break;
                default: Add(); File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | (UnixFileMode)random.Next(64)); break;
            }
        }

        // There are not to be more of them with each round.
        foreach (var file in Directory.GetFiles(path, "file*", SearchOption.AllDirectories).Skip(FirstFiles)) File.Delete(file);
    }

    private void Add() => File.WriteAllBytes(Path.Combine(Folder(), $"file{++_number}"), Bytes(random.Next(MostBytes)));

    private void Large() => File.WriteAllBytes(Path.Combine(path, "large"), Bytes(LargeBytes));

    private byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private string Folder()
    {
        var folders = Directory.GetDirectories(path, "*", SearchOption.AllDirectories);
        Array.Sort(folders, StringComparer.Ordinal);
        return random.Next(4) == 0 ? path : folders[random.Next(folders.Length)];
    }

    /// <summary>Puts files of an owner's own into a folder that is restored into, with names of the tree's: all of them differ from it.</summary>
    /// <returns>Their paths.</returns>
    public static IReadOnlyList<string> PutBefore(string target, ShareTruth tree, Random random)
    {
        List<string> paths = [.. tree.FilePaths.Where(_ => random.Next(12) == 0)];
        foreach (var name in paths)
        {
            var file = Path.Combine(target, name);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, $"the owner's own {random.Next().ToString(CultureInfo.InvariantCulture)}");
        }

        return paths;
    }
}
