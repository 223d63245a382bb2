using Strongroom.Backup.Jobs;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.Tests.Support;

/// <summary>What tests do with a <see cref="Rig"/> often.</summary>
internal static class RigSteps
{
    public static async Task<(Vault Vault, FakeMachine Machine)> ProtectedMachineAsync(this Rig rig, params FakeDisk[] disks)
    {
        var vault = await rig.NewVaultAsync();
        var machine = rig.NewMachine("web1", disks);
        await rig.ProtectAsync(vault, machine);
        return (vault, machine);
    }

    public static async Task<IReadOnlyList<RecoveryPoint>> PointsAsync(this Rig rig, Vault vault, FakeMachine machine) =>
        await rig.Points.ListAsync((await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!.Key, Rig.Token);

    /// <summary>Fails unless the point's images are these bytes, read back from the store.</summary>
    public static async Task AssertHoldsAsync(this Rig rig, Vault vault, RecoveryPoint point, params byte[][] disks)
    {
        var store = await rig.Stores.OpenAsync(vault.Key, Rig.Token);
        Assert.Equal(disks.Length, point.Disks.Length);
        foreach (var (disk, expected) in point.Disks.Zip(disks))
        {
            Assert.True(ImageRef.TryParse(disk.Image, out var image));
            Assert.Equal(expected.LongLength, disk.SizeBytes);
            var sink = new BytesSink(expected.Length);
            await store.RestoreAsync(image, sink, null, Rig.Token);
            Assert.True(expected.AsSpan().SequenceEqual(sink.Bytes), $"Disk '{disk.Name}' differs.");
        }
    }

    /// <summary>The last entry of the log disappears, or one of its bits flips, while the server is down.</summary>
    public static async Task HitEndOfLogAsync(this Rig rig, Vault vault, bool deletes)
    {
        await rig.Stores.RestartAsync();
        var backend = rig.Stores.BackendOf(vault.Key);
        var last = default(BlobInfo);
        await foreach (var blob in backend.ListAsync("log/", Rig.Token)) last = blob;
        var content = new byte[last.LengthBytes];
        await backend.ReadAsync(last.Name, 0, content, Rig.Token);
        Assert.True(await backend.DeleteAsync(last.Name, Rig.Token));
        content[content.Length / 2] ^= 1;
        if (!deletes) Assert.True(await backend.PutIfAbsentAsync(last.Name, content, Rig.Token));
    }

    /// <summary>Runs a backup that must fail without a point.</summary>
    public static async Task AssertFailsAsync(this Rig rig, Vault vault, FakeMachine machine, int code, string message)
    {
        var job = await rig.BackUpAsync(vault, machine);
        Assert.Equal(JobStates.Failed, job.State);
        var error = Assert.Single(job.Errors);
        Assert.Equal(code, error.Code);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(job.Tasks, t => t.State == JobStates.InProgress);
        Assert.NotNull(job.EndedAt);
        Assert.Empty(await rig.PointsAsync(vault, machine));
        Assert.Null(await rig.Ledger.FindLiveAsync(job.ItemKey, Rig.Token));
    }

    private sealed class BytesSink(int lengthBytes) : IImageSink
    {
        public byte[] Bytes { get; } = new byte[lengthBytes];

        public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            data.Span.CopyTo(Bytes.AsSpan((int)offsetBytes));
            return default;
        }
    }
}
