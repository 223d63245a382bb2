using Strongroom.Store.Copies;
using Strongroom.Store.Healing;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Tampering;

/// <summary>Every kind of blob, tampered with in every way, met by everything that is done with a vault: never wrong bytes, never anything but a failure of the store's own, and a copy heals it.</summary>
public sealed class TamperTests(TamperLab lab) : IClassFixture<TamperLab>, IDisposable
{
    private static readonly string[] Kinds = ["vault.json", "keys/", "packs/", "meta/", "idx/", "gc/", "scrub/", "log/", "sess/"];
    private readonly TemporaryFolder folder = new();

    private static CancellationToken None => CancellationToken.None;

    public static TheoryData<string, string> Cases => [.. Kinds.SelectMany(kind => Tamper.Ways.Select(way => (kind, way)))];

    /// <summary>What can be made again from the rest, or is only help: nobody misses it.</summary>
    private static bool IsDerived(string kind) => kind is "idx/" or "scrub/" or "sess/";

    /// <summary>What a message names a blob by: the number in its name.</summary>
    private static string NumberOf(string name) => name[(name.LastIndexOf('/') + 1)..].TrimStart(name.StartsWith("log/", StringComparison.Ordinal) ? '0' : ' ');

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_blob_that_was_tampered_with_is_told_and_healed_and_never_believed(string kind, string way)
    {
        var names = lab.Names(kind);
        Assert.NotEmpty(names);
        foreach (var name in names.Count < 3 ? names : kind == "log/" ? [names[0], names[names.Count / 2], names[^1]] : [names[0], names[^1]])
        {
            var path = lab.Clone(folder[Guid.NewGuid().ToString("N")]);
            if (!Tamper.Do(path, name, names.Find(other => other != name), lab.Older, way))
                continue;
            using var backend = new LocalBackend(path);
            await CopyAsync(backend, name, way);
            // That its end was cut off the log cannot tell; who keeps a list of its snapshots can (store-format.md, "Lost end").
            var isEndLost = kind == "log/" && (way == "older" || (name == names[^1] && way is "delete" or "folder"));
            var isOpen = isEndLost || await UseAsync(backend, kind, name, way);
            Assert.True(isOpen || kind is "vault.json" or "keys/" or "log/", $"{name} after {way}: the vault does not open.");
            await HealAsync(backend, name, way);
        }
    }

    /// <summary>True when the vault opened.</summary>
    private async Task<bool> UseAsync(LocalBackend backend, string kind, string name, string way)
    {
        var vault = await TryAsync(() => TestVault.OpenAsync(backend, TamperLab.Options));
        if (vault is null)
            return false;
        await using (vault)
        {
            var failed = await RestoreAsync(vault);
            var report = await vault.VerifyAsync(readData: true, null, None);
            Assert.True(IsDerived(kind) ? report.IsHealthy && failed == 0 : failed == 0 || !report.IsHealthy, $"{name} after {way}: {failed} not restored, and the verification says {report.IsHealthy}");
            Assert.All(report.Problems, problem => Assert.DoesNotContain("run a verification", problem.What, StringComparison.OrdinalIgnoreCase));

            Assert.True(report.IsHealthy || way is "swap" or "older" || report.Problems.Any(problem => problem.What.Contains(NumberOf(name), StringComparison.Ordinal)),
                $"{name} after {way} is not named: {string.Join('\n', report.Problems.Select(problem => problem.What))}");

            // All is in packs of its own: a single blob that is lost costs one of them at most, but for what all of them lie in.
            Assert.True(failed < 2 || way == "older" || kind is "log/" || way == "swap", $"{name} after {way}: {failed} snapshots cannot be restored");
            var scrub = await vault.ScrubAsync(new() { Deep = true }, null, None);
            Assert.Equal(report.IsHealthy, scrub.IsHealthy);
            await BackUpAsync(vault);
            await TryAsync(async () => await vault.CollectAsync(null, TestVault.AtOnce, None));
            Assert.True(await RestoreAsync(vault) <= failed, $"{name} after {way}: the collection took more than was lost");
        }

        return true;
    }

    /// <summary>How many snapshots cannot be restored; those that can are compared byte for byte.</summary>
    private async Task<int> RestoreAsync(VaultStore vault)
    {
        var failed = 0;
        foreach (var (snapshot, disk) in lab.Disks)
        {
            if (await TryAsync(() => vault.RestoreAsync(vault.Require(snapshot.Id).Images[0].Image)) is { } restored)
                disk.AssertSame(restored);
            else
                failed++;
        }

        if (await TryAsync(() => vault.RestoreAsync(vault.Require(lab.Stream.Snapshot.Id).Streams[0].Stream)) is { } bytes)
            Assert.True(lab.Stream.Content.AsSpan().SequenceEqual(bytes));
        else
            failed++;
        return failed;
    }

    /// <summary>A backup is refused, or is a good one.</summary>
    private async Task BackUpAsync(VaultStore vault)
    {
        var (snapshot, disk) = lab.Disks[0];
        var parent = vault.Find(snapshot.Id)?.Images[0].Image;
        if (await TryAsync(() => vault.BackUpAsync(disk, parent)) is { } next)
            await vault.AssertRestoresAsync(next.Images[0].Image, disk);
    }

    /// <summary>Nothing of a file elsewhere comes into a copy.</summary>
    private async Task CopyAsync(LocalBackend backend, string name, string way)
    {
        using var target = new LocalBackend(folder[Guid.NewGuid().ToString("N")]);
        await TryAsync(() => VaultCopy.RunAsync(backend, target, new(), null, None));
        if (way == "link")
            Assert.True(await BlobLengthAsync(target, name) is null or 0, $"{name} was copied through a link");
    }

    private static async Task<long?> BlobLengthAsync(LocalBackend backend, string name) => await backend.GetLengthAsync(name, None);

    private async Task HealAsync(LocalBackend backend, string name, string way)
    {
        using var replica = new LocalBackend(lab.Vault);
        var report = await VaultHealing.RunAsync(backend, replica, TestVault.Key, TamperLab.Options, TestVault.Clock(), null, None);
        Assert.True(report.Problems.Count == 0, $"{name} after {way}: {string.Join('\n', report.Problems.Select(problem => problem.What))}");
        await using var vault = await TestVault.OpenAsync(backend, TamperLab.Options);
        Assert.Equal(0, await RestoreAsync(vault));
        var verified = await vault.VerifyAsync(readData: true, null, None);
        Assert.True(verified.IsHealthy, $"{name} after {way}: {string.Join('\n', verified.Problems.Select(problem => problem.What))}");
    }

    /// <summary>Null for a failure that is the store's own; any other is the test's.</summary>
    private static async Task<T?> TryAsync<T>(Func<Task<T>> action)
        where T : class
    {
        try
        {
            return await action();
        }
        catch (StoreException failure) when (failure.Kind is not (StoreErrorKind.Io or StoreErrorKind.Full or StoreErrorKind.AlreadyExists or StoreErrorKind.Locked))
        {
            return null;
        }
    }
}
