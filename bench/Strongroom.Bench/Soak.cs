using System.Globalization;
using System.Security.Cryptography;
using Strongroom.Store;

namespace Strongroom.Bench;

/// <summary>Backs up, deletes and collects for ever, to be killed at any moment; each start first proves every promise of the runs before.</summary>
/// <remarks>
/// <c>promises.txt</c> beside the vault: a line <c>commit id sha256</c> after each acknowledged commit, <c>delete id</c> before each deletion,
/// <c>deleted id</c> after it.
/// </remarks>
internal static class Soak
{
    private const int DiskLengthBytes = 96 << 20;
    private const int ChangeLengthBytes = 700_000;

    public static async Task<int> RunAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        using var backend = new LocalBackend(Path.Combine(folder, "vault"));
        var key = MasterKeyFile.LoadOrCreate(Path.Combine(folder, "master.key"));
        var options = new VaultStoreOptions { PackSizeBytes = 4 << 20, IndexBufferRecords = 64 };
        await using var vault = await VaultStore.ExistsAsync(backend, CancellationToken.None)
            ? await VaultStore.OpenAsync(backend, key, options, TimeProvider.System, CancellationToken.None)
            : await VaultStore.CreateAsync(backend, key, options, TimeProvider.System, CancellationToken.None);
        var promises = Path.Combine(folder, "promises.txt");
        await ProveAsync(vault, promises);
        var disk = new byte[DiskLengthBytes];
        ImageRef? parent = null;
        var random = new Random(Environment.ProcessId);
        while (true)
        {
            random.NextBytes(disk.AsSpan(random.Next(DiskLengthBytes - ChangeLengthBytes), ChangeLengthBytes));
            var snapshot = await BackUpAsync(vault, disk, parent);
            await PromiseAsync(promises, $"commit {snapshot.Id} {Convert.ToHexStringLower(SHA256.HashData(disk))}");
            parent = snapshot.Images[0].Image;
            if (vault.Snapshots.Count <= 6)
                continue;
            var oldest = vault.Snapshots.MinBy(one => one.LogSequence)!;
            await PromiseAsync(promises, $"delete {oldest.Id}");
            await vault.DeleteSnapshotAsync(oldest.Id, CancellationToken.None);
            await PromiseAsync(promises, $"deleted {oldest.Id}");
            await vault.CollectAsync([snapshot.Id], new() { Grace = TimeSpan.Zero }, CancellationToken.None);
        }
    }

    private static async Task<Snapshot> BackUpAsync(VaultStore vault, byte[] disk, ImageRef? parent)
    {
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        var image = await session.WriteImageAsync(new MemoryImage(disk), parent, null, CancellationToken.None);
        var draft = new SnapshotDraft { Id = new(Guid.NewGuid()), ItemId = "soak", Images = [new(0, "disk", image)] };
        return await session.CommitAsync(draft, CancellationToken.None);
    }

    private static async Task ProveAsync(VaultStore vault, string promises)
    {
        var committed = new Dictionary<string, string>();
        var goes = new HashSet<string>();
        var gone = new HashSet<string>();
        foreach (var line in File.Exists(promises) ? await File.ReadAllLinesAsync(promises) : [])
        {
            // The last line may be torn; then the promise was not made.
            switch (line.Split(' '))
            {
                case ["commit", var id, { Length: 64 } hash]:
                    committed[id] = hash;
                    break;
                case ["delete", { Length: 36 } id]:
                    goes.Add(id);
                    break;
                case ["deleted", { Length: 36 } id]:
                    gone.Add(id);
                    break;
            }
        }

        var proven = 0;
        foreach (var (id, hash) in committed)
        {
            var snapshot = vault.Find(new(Guid.Parse(id, CultureInfo.InvariantCulture)));
            if (snapshot is null ? !goes.Contains(id) : gone.Contains(id))
                throw new InvalidDataException($"Snapshot {id} is {(snapshot is null ? "lost" : "back from the dead")}.");
            if (snapshot is null)
                continue;
            var restored = new byte[DiskLengthBytes];
            await vault.RestoreAsync(snapshot.Images[0].Image, new MemoryImage(restored), null, CancellationToken.None);
            if (Convert.ToHexStringLower(SHA256.HashData(restored)) != hash)
                throw new InvalidDataException($"Snapshot {id} restores to other bytes.");
            proven++;
        }

        var report = await vault.VerifyAsync(readData: false, null, CancellationToken.None);
        if (!report.IsHealthy)
            throw new InvalidDataException(string.Join('\n', report.Problems));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"proven: {proven} snapshots of {committed.Count} ever promised; {vault.Statistics}"));
    }

    private static async Task PromiseAsync(string promises, string line)
    {
        await using var file = new FileStream(promises, FileMode.Append);
        await file.WriteAsync(System.Text.Encoding.ASCII.GetBytes(line + "\n"));
        file.Flush(flushToDisk: true);
    }

    private sealed class MemoryImage(byte[] bytes) : IImageSource, IImageSink
    {
        public long LengthBytes => bytes.Length;

        public IAsyncEnumerable<ImageExtent> MapAsync(CancellationToken cancellationToken) =>
            new[] { new ImageExtent(0, bytes.Length, ExtentKind.Data) }.ToAsyncEnumerable();

        public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            bytes.AsMemory((int)offsetBytes, buffer.Length).CopyTo(buffer);
            return default;
        }

        public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            data.CopyTo(bytes.AsMemory((int)offsetBytes));
            return default;
        }
    }
}
