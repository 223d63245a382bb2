using System.Diagnostics;

namespace Strongroom.Workloads.Tests.FileShares;

/// <summary>A file system that is mounted for a test; that takes root, and tests are skipped without.</summary>
public sealed class Mount : IDisposable
{
    private readonly string? _folder;

    private Mount(string path, string? folder)
    {
        Path = path;
        _folder = folder;
    }

    public string Path { get; }

    /// <summary>A new file system in a file.</summary>
    /// <param name="kind">Such as <c>btrfs</c>: <c>mkfs.btrfs</c> makes it.</param>
    /// <param name="option">A further option of mount(8).</param>
    public static Mount OfImage(string kind, int sizeMebibytes = 256, string option = "rw")
    {
        Programs.RequireRoot("mount a file system");
        var maker = $"/usr/sbin/mkfs.{kind}";
        Programs.Require("btrfs-progs, xfsprogs, e2fsprogs, ntfs-3g", maker);
        var folder = Directory.CreateTempSubdirectory("mount-test-").FullName;
        var image = System.IO.Path.Combine(folder, "image");
        var path = Directory.CreateDirectory(System.IO.Path.Combine(folder, "mounted")).FullName;
        using (var file = File.OpenHandle(image, FileMode.CreateNew, FileAccess.Write)) RandomAccess.SetLength(file, (long)sizeMebibytes << 20);
        Run(maker, kind == "ntfs" ? ["-q", "-F", image] : ["-q", image]);
        if (TryRun("mount", "-o", $"loop,{option}", image, path) is not { } refusal) return new(path, folder);
        Directory.Delete(folder, true);
        Assert.Skip($"No {kind} can be mounted here: {refusal}");
        throw new UnreachableException();
    }

    /// <summary>A file system in memory over a folder that is there, read-only.</summary>
    public static Mount OfFolder(string path)
    {
        Programs.RequireRoot("mount a file system");
        if (TryRun("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", path) is { } refusal) Assert.Skip($"No tmpfs can be mounted here: {refusal}");
        return new(path, null);
    }

    /// <summary>Runs a program that must succeed.</summary>
    public static void Run(string program, params string[] arguments) => Assert.Null(TryRun(program, arguments));

    public void Dispose()
    {
        // Lazily: whoever still has something open there must not keep the test's folder from being removed.
        Run("umount", "--lazy", Path);
        if (_folder is not null) Directory.Delete(_folder, true);
    }

    private static string? TryRun(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : $"{program} {string.Join(' ', arguments)}: {output.GetAwaiter().GetResult()}{error}";
    }
}
