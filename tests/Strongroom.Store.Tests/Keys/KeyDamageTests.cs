using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Strongroom.Store.Keys;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Keys;

/// <summary>What happens to <c>keys/</c> behind the store's back, and what a crash leaves there.</summary>
public sealed class KeyDamageTests
{
    private readonly MemoryBackend backend = new();

    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData((int)Death.Before)]
    [InlineData((int)Death.After)]
    public async Task A_crash_at_any_operation_of_a_change_leaves_a_vault_that_the_old_or_the_new_key_opens(int death)
    {
        var changes = new Func<VaultKeys, Task>[]
        {
            keys => keys.RotateAsync(None),
            keys => keys.AddWrapAsync(TestKeys.File(2), None),
            keys => keys.RewrapAsync(TestVault.Key.KeyId, TestKeys.File(2), [], None),
        };
        var deaths = 0;
        foreach (var change in changes)
        {
            for (var diesAt = 0; ; diesAt++)
            {
                var storage = new MemoryBackend();
                var disk = new SparseDisk(1 << 20);
                disk.Write(0, TestVault.Noise(1, 500_000));
                Snapshot snapshot;
                await using (var vault = await TestVault.CreateAsync(storage))
                    snapshot = await vault.BackUpAsync(disk);
                var dying = new DyingBackend(storage, diesAt, (Death)death);
                var isDone = await TryAsync(async () =>
                {
                    await using var vault = await TestVault.OpenAsync(dying);
                    await change(vault.Keys);
                });
                await using var again = await OpenWithEitherAsync(storage);
                await again.AssertRestoresAsync(snapshot.Images[0].Image, disk);
                await again.BackUpAsync(disk);
                Assert.Empty(again.Log.Damage);
                Assert.Single(await storage.AllAsync("keys/"));
                if (isDone)
                    break;
                deaths++;
            }
        }

        Assert.InRange(deaths, 9, 12);
    }

    [Theory]
    [InlineData((int)Death.Before)]
    [InlineData((int)Death.After)]
    public async Task An_erasure_that_died_is_finished_by_whoever_opens_the_vault_next(int death)
    {
        var erased = 0;
        for (var diesAt = 0; diesAt < 2; diesAt++)
        {
            var storage = new MemoryBackend();
            await using (var vault = await TestVault.CreateAsync(storage))
                await vault.BackUpAsync(new SparseDisk(0));
            var dying = new DyingBackend(storage, diesAt, (Death)death);
            Assert.False(await TryAsync(async () =>
            {
                await using var vault = await TestVault.OpenAsync(dying);
                await vault.Keys.EraseAsync(vault.VaultId.ToString(), None);
            }));
            if (await TryAsync(() => TestVault.Key.AssertOpensAsync(storage)))
                continue;
            Assert.Empty(await storage.AllAsync("keys/"));
            erased++;
        }

        Assert.Equal((Death)death == Death.Before ? 1 : 2, erased);
    }

    [Fact]
    public async Task Keys_that_were_put_back_to_an_older_generation_are_noticed()
    {
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            var older = (await backend.AllAsync("keys/"))[0];
            var content = await backend.ContentAsync(older.Name);
            await vault.Keys.RotateAsync(None);
            await backend.DeleteAsync((await backend.AllAsync("keys/"))[0].Name, None);
            await backend.PutIfAbsentAsync(older.Name, content, None);
        }

        var failure = await TestVault.Key.AssertRefusedAsync(backend, StoreErrorKind.Corrupt);
        Assert.Contains("generation 2 is in force", failure.Message, StringComparison.Ordinal);

        // Whoever has nothing better reads with them, and a rotation makes the vault whole again.
        await using (var vault = await TestVault.OpenAsync(backend, TestVault.Small with { AcceptsOlderKeys = true }))
        {
            Assert.Equal(StoreErrorKind.Corrupt, (await Assert.ThrowsAsync<StoreException>(() => vault.OpenSessionAsync(None))).Kind);
            Assert.Equal(StoreErrorKind.Corrupt, (await Assert.ThrowsAsync<StoreException>(() => vault.Keys.AddWrapAsync(TestKeys.File(2), None))).Kind);
            await vault.Keys.RotateAsync(None);
            Assert.Equal((3, 3), (vault.Keys.Generation, vault.Keys.CurrentEpoch));
            await vault.BackUpAsync(new SparseDisk(0));
        }

        await TestVault.Key.AssertOpensAsync(backend);
    }

    [Fact]
    public async Task A_generation_of_the_right_number_that_the_log_does_not_know_is_refused()
    {
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            var blob = (await backend.AllAsync("keys/"))[0];
            var opened = await KeyOpening.OpenNewestAsync(new(backend, vault.VaultId), vault.VaultId, TestVault.Key, None);
            var forged = KeyGeneration.Seal(1, opened.Generation.Wraps, opened.Ring.WithNextEpoch(0), opened.RingKey);
            await backend.ReplaceAsync(blob.Name, forged.Format());
        }

        Assert.Contains("tampered", (await TestVault.Key.AssertRefusedAsync(backend, StoreErrorKind.Corrupt)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_of_another_vault_or_of_another_generation_do_not_count()
    {
        var other = new MemoryBackend();
        await (await TestVault.CreateAsync(backend)).DisposeAsync();
        await (await TestVault.CreateAsync(other)).DisposeAsync();
        var name = (await backend.AllAsync("keys/"))[0].Name;
        var own = await backend.ContentAsync(name);
        await backend.ReplaceAsync(name, await other.ContentAsync((await other.AllAsync("keys/"))[0].Name));
        await TestVault.Key.AssertRefusedAsync(backend, StoreErrorKind.Corrupt);
        await backend.ReplaceAsync(name, own);
        await TestVault.Key.AssertOpensAsync(backend);

        // A number that never came into force and cannot be read stands in nobody's way.
        var next = name.Replace("00000001", "00000002", StringComparison.Ordinal);
        await backend.PutIfAbsentAsync(next, own, None);
        await using (var vault = await TestVault.OpenAsync(backend))
            await vault.Keys.RotateAsync(None);
        Assert.Equal(name.Replace("00000001", "00000003", StringComparison.Ordinal), Assert.Single(await backend.AllAsync("keys/")).Name);
    }

    [Fact]
    public async Task A_wrap_that_was_taken_away_or_slipped_in_is_noticed()
    {
        await using (var vault = await TestVault.CreateAsync(backend))
            await vault.Keys.AddWrapAsync(TestKeys.File(2), None);
        var name = (await backend.AllAsync("keys/"))[0].Name;
        var content = await backend.ContentAsync(name);
        foreach (var edit in (Action<JsonArray>[])[wraps => wraps.RemoveAt(1), wraps => wraps.Add(wraps[1]!.DeepClone()), wraps => wraps[1]!["kekId"] = "file:00"])
        {
            var json = JsonNode.Parse(content)!;
            edit(json["wraps"]!.AsArray());
            await backend.ReplaceAsync(name, Encoding.UTF8.GetBytes(json.ToJsonString()));
            await TestVault.Key.AssertRefusedAsync(backend, StoreErrorKind.Corrupt);
        }
    }

    [Fact]
    public async Task No_flipped_bit_and_no_cut_of_the_keys_gives_a_ring()
    {
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            await vault.Keys.AddWrapAsync(TestKeys.Passphrase("correct horse"), None);
            await vault.Keys.EscrowAsync(ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256).ExportSubjectPublicKeyInfoPem(), None);
        }

        var blob = (await backend.AllAsync("keys/"))[0];
        var content = await backend.ContentAsync(blob.Name);
        var vaultId = Guid.ParseExact(blob.Name[^32..], "N");
        var opened = await KeyOpening.OpenNewestAsync(new(backend, vaultId), vaultId, TestVault.Key, None);
        Gen.Select(Gen.Int[0, content.Length - 1], Gen.Int[0, 7], Gen.Bool).Sample(
            edit =>
            {
                var (at, bit, isCut) = edit;
                var changed = isCut ? content[..at] : content.ToArray();
                if (!isCut)
                    changed[at] ^= (byte)(1 << bit);
                try
                {
                    // Where the JSON means the same, nothing was changed (hex digits, for example, may be of either case); otherwise the tag knows.
                    var generation = KeyGeneration.Parse(blob.Name, changed);
                    return generation.Format().AsSpan().SequenceEqual(content) || generation.Open(vaultId, opened.RingKey) is null;
                }
                catch (StoreException failure)
                {
                    return failure.Kind is StoreErrorKind.Corrupt or StoreErrorKind.Unsupported;
                }
            },
            iter: 2000);
    }

    private static async Task<VaultStore> OpenWithEitherAsync(IBlobBackend storage)
    {
        try
        {
            return await TestVault.OpenAsync(storage);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.WrongKey)
        {
            return await TestKeys.File(2).OpenAsync(storage);
        }
    }

    private static async Task<bool> TryAsync(Func<Task> act)
    {
        try
        {
            await act();
            return true;
        }
        catch (StoreException)
        {
            return false;
        }
    }
}
