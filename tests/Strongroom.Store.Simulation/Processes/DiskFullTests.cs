using System.Diagnostics;
using Strongroom.Store.Simulation.PowerCut;
using Strongroom.Store.Simulation.World;

namespace Strongroom.Store.Simulation.Processes;

/// <summary>A file system of 16 MiB in a file, filled so that space ends at each stage of a backup in turn. Needs root for the mount.</summary>
public sealed class DiskFullTests
{
    private const long ImageLengthBytes = 16 << 20;
    private const int Pieces = 12;
    private const long StepBytes = 64 << 10;
    private static readonly VaultStoreOptions Options = new() { PackSizeBytes = 256 << 10, IndexBufferRecords = 16, Workers = 1 };

    [Fact]
    public async Task A_full_disk_is_called_full_and_costs_nothing_wherever_space_ends()
    {
        var folder = Directory.CreateTempSubdirectory("strongroom-full-").FullName;
        var mount = Path.Combine(folder, "mount");
        Directory.CreateDirectory(mount);
        try
        {
            Assert.SkipUnless(Environment.IsPrivilegedProcess && TryMount(Path.Combine(folder, "image"), mount), "cannot mount a file here: not root, or no loop devices");
            try
            {
                await FillStepByStepAsync(mount);
            }
            finally
            {
                Run("umount", "-l", mount);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task FillStepByStepAsync(string mount)
    {
        var vaultFolder = Path.Combine(mount, "vault");
        var filler = Path.Combine(mount, "filler");
        var book = new PromiseBook();
        var full = 0;
        var whole = 0;
        for (var room = 0L; whole < 3 && room < 40 * StepBytes; room += StepBytes)
        {
            using var backend = new LocalBackend(vaultFolder);
            await BackUpAsync(backend, (int)(room / StepBytes), book);
            FillUpTo(filler, new DriveInfo(mount), room);
            try
            {
                await BackUpAsync(backend, 1000 + (int)(room / StepBytes), book);
                whole++;
            }
            catch (StoreException failure)
            {
                Assert.Equal(StoreErrorKind.Full, failure.Kind);
                full++;
            }

            File.Delete(filler);
            await book.CheckAsync(backend, isThorough: true);
            await ShrinkAsync(backend, book);
        }

        Assert.InRange(full, 2, 40);
        Assert.InRange(whole, 1, 40);
    }

    private static async Task BackUpAsync(LocalBackend backend, int number, PromiseBook book)
    {
        await using var vault = await VaultStore.ExistsAsync(backend, CancellationToken.None)
            ? await VaultStore.OpenAsync(backend, SimulatedWorld.Key, Options, TimeProvider.System, CancellationToken.None)
            : await VaultStore.CreateAsync(backend, SimulatedWorld.Key, Options, TimeProvider.System, CancellationToken.None);
        var disk = Disk(number);
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        var image = await session.WriteImageAsync(new ModelSource(disk, null), null, null, CancellationToken.None);
        var draft = new SnapshotDraft { Id = new(Guid.NewGuid()), ItemId = "vm", Images = [new(0, "disk", image)] };
        await session.CommitAsync(draft, CancellationToken.None);
        book.Add(draft.Id, disk);
    }

    /// <summary>A disk that shares no chunk with that of another number, and does not compress.</summary>
    private static DiskModel Disk(int number) => new(
        Pieces * DiskModel.PieceBytes, Enumerable.Range(0, Pieces).ToDictionary(i => (long)i, i => 3 * ((number * Pieces) + i + 100)));

    /// <summary>Deletes and collects all but the newest two: that works on a disk that was full a moment ago.</summary>
    private static async Task ShrinkAsync(LocalBackend backend, PromiseBook book)
    {
        await using var vault = await VaultStore.OpenAsync(backend, SimulatedWorld.Key, Options, TimeProvider.System, CancellationToken.None);
        foreach (var snapshot in vault.Snapshots.OrderByDescending(snapshot => snapshot.LogSequence).Skip(2))
        {
            book.Delete(snapshot.Id);
            await vault.DeleteSnapshotAsync(snapshot.Id, CancellationToken.None);
        }

        await vault.CollectAsync([.. vault.Snapshots.Select(snapshot => snapshot.Id)], new() { Grace = TimeSpan.Zero, GreatestShareToCompact = 1 }, CancellationToken.None);
    }

    private static void FillUpTo(string filler, DriveInfo drive, long room)
    {
        using var file = File.OpenHandle(filler, FileMode.Create, FileAccess.Write);
        var block = new byte[4096];
        for (var at = 0L; drive.AvailableFreeSpace > room; at += block.Length)
        {
            try
            {
                RandomAccess.Write(file, block, at);
            }
            catch (IOException)
            {
                return;
            }
        }
    }

    private static bool TryMount(string image, string mount)
    {
        using (var file = File.Create(image))
            file.SetLength(ImageLengthBytes);
        return Run("mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", image) && Run("mount", "-o", "loop", image, mount);
    }

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
