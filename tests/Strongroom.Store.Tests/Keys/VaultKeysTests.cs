using System.Security.Cryptography;
using Strongroom.Store.Keys;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Keys;

public sealed class VaultKeysTests
{
    private readonly MemoryBackend backend = new();

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task After_a_rotation_old_and_new_packs_are_read_and_new_packs_have_the_new_epoch()
    {
        var (disk, other) = (Disk(1), Disk(2));
        Snapshot first, second;
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            first = await vault.BackUpAsync(disk);
            await vault.Keys.RotateAsync(None);
            Assert.Equal((2, 2), (vault.Keys.CurrentEpoch, vault.Keys.Generation));
            second = await vault.BackUpAsync(other);
            await vault.AssertRestoresAsync(first.Images[0].Image, disk);
            await vault.AssertRestoresAsync(second.Images[0].Image, other);
        }

        Assert.Single(await backend.AllAsync("keys/"));
        Assert.Equal([1u, 2u], (await EpochsAsync()).Order().Distinct());
        await using var again = await TestVault.OpenAsync(backend);
        await again.AssertRestoresAsync(first.Images[0].Image, disk);
        await again.AssertRestoresAsync(second.Images[0].Image, other);
        Assert.True((await again.VerifyAsync(readData: true, null, None)).IsHealthy);
        Assert.True((await again.BackUpCountedAsync(disk)).Statistics.BytesStored < 100_000);
    }

    [Fact]
    public async Task Another_open_process_reads_packs_of_an_epoch_it_has_never_heard_of_and_then_writes_with_it()
    {
        await using var one = await TestVault.CreateAsync(backend);
        await using var two = await TestVault.OpenAsync(backend);
        await one.Keys.RotateAsync(None);
        var disk = Disk(1);
        var snapshot = await one.BackUpAsync(disk);
        await two.Log.RefreshAsync(None);
        Assert.Equal(1, two.Keys.CurrentEpoch);
        await two.AssertRestoresAsync(snapshot.Images[0].Image, disk);
        Assert.Equal(2, two.Keys.CurrentEpoch);
        await one.Keys.RotateAsync(None);
        await two.BackUpAsync(Disk(2));
        Assert.Equal(3, two.Keys.CurrentEpoch);
        Assert.Contains(3u, await EpochsAsync());
    }

    [Fact]
    public async Task Keys_of_every_kind_open_the_vault_and_a_rotation_keeps_them()
    {
        using var rsa = RSA.Create(3072);
        using var curve = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP384);
        var disk = Disk(1);
        Snapshot snapshot;
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            snapshot = await vault.BackUpAsync(disk);
            await vault.Keys.AddWrapAsync(TestKeys.Passphrase("correct horse"), None);
            await vault.Keys.AddWrapAsync(TestKeys.File(9), None);
            await vault.Keys.EscrowAsync(rsa.ExportSubjectPublicKeyInfoPem(), None);
            await vault.Keys.EscrowAsync(curve.ExportSubjectPublicKeyInfoPem(), None);
            await vault.Keys.EscrowAsync(curve.ExportSubjectPublicKeyInfoPem(), None);
            await vault.Keys.RotateAsync(None);
            Assert.Equal(["escrow", "escrow", "file", "file", "passphrase"], vault.Keys.Wraps.Select(wrap => wrap.Kind).Order());
        }

        IKeyEncryptionKey[] keys =
        [
            TestVault.Key, TestKeys.Passphrase("correct horse"), TestKeys.File(9),
            EscrowKey.FromPrivatePem(rsa.ExportPkcs8PrivateKeyPem(), null),
            EscrowKey.FromPrivatePem(curve.ExportEncryptedPkcs8PrivateKeyPem("pw", new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 10)), "pw"),
        ];
        foreach (var key in keys)
        {
            await using var vault = await key.OpenAsync(backend);
            await vault.AssertRestoresAsync(snapshot.Images[0].Image, disk);
        }
    }

    [Fact]
    public async Task A_rewrap_exchanges_the_key_and_an_old_copy_of_the_keys_does_not_open_later_ones()
    {
        var (old, fresh) = (TestVault.Key, TestKeys.File(2));
        using var curve = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var disk = Disk(1);
        Snapshot snapshot;
        byte[] oldRingKey;
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            snapshot = await vault.BackUpAsync(disk);
            await vault.Keys.EscrowAsync(curve.ExportSubjectPublicKeyInfoPem(), None);
            oldRingKey = await RingKeyAsync(old, "file");
            await vault.Keys.RewrapAsync(old.KeyId, fresh, [], None);

            // This process goes on with the new key.
            await vault.Keys.RotateAsync(None);
            await vault.BackUpAsync(Disk(2));
        }

        Assert.Contains(fresh.KeyId, (await old.AssertRefusedAsync(backend, StoreErrorKind.WrongKey)).Message, StringComparison.Ordinal);
        Assert.NotEqual(oldRingKey, await RingKeyAsync(fresh, "file"));
        foreach (var key in (IKeyEncryptionKey[])[fresh, EscrowKey.FromPrivatePem(curve.ExportECPrivateKeyPem(), null)])
        {
            await using var vault = await key.OpenAsync(backend);
            await vault.AssertRestoresAsync(snapshot.Images[0].Image, disk);
        }
    }

    [Fact]
    public async Task A_removed_key_opens_no_more_and_keys_that_stay_must_be_at_hand()
    {
        var passphrase = TestKeys.Passphrase("correct horse");
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            var file = TestKeys.File(9);
            await vault.Keys.AddWrapAsync(passphrase, None);
            await vault.Keys.AddWrapAsync(file, None);
            Assert.Equal(StoreErrorKind.InvalidRequest, (await Assert.ThrowsAsync<StoreException>(() => vault.Keys.RemoveWrapAsync(file.KeyId, [], None))).Kind);
            await file.AssertOpensAsync(backend);
            Assert.Equal(StoreErrorKind.NotFound, (await Assert.ThrowsAsync<StoreException>(() => vault.Keys.RemoveWrapAsync("file:00", [], None))).Kind);
            Assert.Equal(
                StoreErrorKind.InvalidRequest,
                (await Assert.ThrowsAsync<StoreException>(() => vault.Keys.RemoveWrapAsync(TestVault.Key.KeyId, [passphrase, file], None))).Kind);

            await vault.Keys.RemoveWrapAsync(file.KeyId, [TestKeys.Passphrase("correct horse")], None);

            await file.AssertRefusedAsync(backend, StoreErrorKind.WrongKey);
            Assert.Equal([TestVault.Key.KeyId, passphrase.KeyId], vault.Keys.Wraps.Select(wrap => wrap.KeyId));
        }

        await TestVault.Key.AssertOpensAsync(backend);
        await TestKeys.Passphrase("correct horse").AssertOpensAsync(backend);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_that_was_taken_away_opens_no_later_pack_not_even_with_an_old_copy_of_the_keys(bool isReplaced)
    {
        var (removed, fresh) = (TestKeys.File(9), TestKeys.File(10));
        await using var one = await TestVault.CreateAsync(backend);
        await one.Keys.AddWrapAsync(removed, None);
        await using var two = await TestVault.OpenAsync(backend);
        await using var running = await two.OpenSessionAsync(None);
        var oldCopy = KeyGeneration.Parse("old", await backend.ContentAsync(Assert.Single(await backend.AllAsync("keys/")).Name));
        var oldRing = oldCopy.Open(one.VaultId, await RingKeyAsync(removed, removed.KeyId));

        if (isReplaced)
            await one.Keys.RewrapAsync(removed.KeyId, fresh, [], None);
        else
            await one.Keys.RemoveWrapAsync(removed.KeyId, [], None);

        // A session of another process, begun before, writes under the new data key, too.
        var disk = Disk(1);
        await running.CommitAsync(TestVault.Draft(await running.WriteImageAsync(disk, null, null, None)), None);
        await one.BackUpAsync(Disk(2));
        Assert.Equal(2, one.Keys.CurrentEpoch);
        Assert.DoesNotContain(await EpochsAsync(), oldRing.HasDataKey);
        await using var again = await TestVault.OpenAsync(backend);
        Assert.True((await again.VerifyAsync(readData: true, null, None)).IsHealthy);
    }

    [Fact]
    public async Task A_session_whose_key_was_taken_away_begins_no_pack()
    {
        await using var one = await TestVault.CreateAsync(backend);
        await one.Keys.AddWrapAsync(TestKeys.File(9), None);
        await using var two = await TestKeys.File(9).OpenAsync(backend);
        await using var running = await two.OpenSessionAsync(None);
        await one.Keys.RemoveWrapAsync(TestKeys.File(9).KeyId, [], None);

        Assert.Equal(StoreErrorKind.WrongKey, (await Assert.ThrowsAsync<StoreException>(() => running.WriteImageAsync(Disk(1), null, null, None))).Kind);
        Assert.Empty(await backend.AllAsync("packs/"));
    }

    [Fact]
    public async Task A_process_whose_key_was_removed_reads_on_but_backs_up_nothing()
    {
        var disk = Disk(1);
        await using var one = await TestVault.CreateAsync(backend);
        var snapshot = await one.BackUpAsync(disk);
        await one.Keys.AddWrapAsync(TestKeys.File(9), None);
        await using var two = await TestKeys.File(9).OpenAsync(backend);
        await one.Keys.RemoveWrapAsync(TestKeys.File(9).KeyId, [], None);
        Assert.Equal(StoreErrorKind.WrongKey, (await Assert.ThrowsAsync<StoreException>(() => two.OpenSessionAsync(None))).Kind);
        Assert.Equal(StoreErrorKind.WrongKey, (await Assert.ThrowsAsync<StoreException>(() => two.Keys.RotateAsync(None))).Kind);
        await two.AssertRestoresAsync(snapshot.Images[0].Image, disk);
    }

    [Fact]
    public async Task A_wrong_passphrase_is_called_wrong_and_nothing_more_is_said()
    {
        await (await VaultStore.CreateAsync(backend, TestKeys.Passphrase("caf\u00E9"), TestVault.Small, TestVault.Clock(), None)).DisposeAsync();
        var failure = await TestKeys.Passphrase("cafe").AssertRefusedAsync(backend, StoreErrorKind.WrongKey);
        Assert.Equal("The passphrase does not open the vault. Try again.", failure.Message);

        // The same letters, as another keyboard composes them.
        await TestKeys.Passphrase("cafe\u0301").AssertOpensAsync(backend);
        Assert.Equal(StoreErrorKind.InvalidRequest, Assert.Throws<StoreException>(() => new PassphraseKey("")).Kind);
    }

    [Fact]
    public async Task Processes_that_change_the_keys_at_once_all_have_their_way()
    {
        await (await TestVault.CreateAsync(backend)).DisposeAsync();
        var vaults = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => TestVault.OpenAsync(backend)));
        await Task.WhenAll(vaults.Select((vault, i) => Task.Run(async () =>
        {
            await vault.Keys.AddWrapAsync(TestKeys.File(10 + i), None);
            await vault.Keys.RotateAsync(None);
        })));
        foreach (var vault in vaults)
            await vault.DisposeAsync();
        await using var last = await TestKeys.File(12).OpenAsync(backend);
        Assert.Equal((5, 5, 9), (last.Keys.Wraps.Count, last.Keys.CurrentEpoch, last.Keys.Generation));
        Assert.Single(await backend.AllAsync("keys/"));
    }

    [Fact]
    public async Task Erased_keys_make_the_vault_unreadable_for_everybody()
    {
        await using var vault = await TestVault.CreateAsync(backend);
        var snapshot = await vault.BackUpAsync(Disk(1));
        await using var other = await TestVault.OpenAsync(backend);
        var session = await other.OpenSessionAsync(None);
        Assert.Equal(StoreErrorKind.InvalidRequest, (await Assert.ThrowsAsync<StoreException>(() => vault.Keys.EraseAsync("yes", None))).Kind);
        Assert.Single(await backend.AllAsync("keys/"));

        await vault.Keys.EraseAsync(vault.VaultId.ToString(), None);

        Assert.Empty(await backend.AllAsync("keys/"));
        Assert.Equal(StoreErrorKind.Refused, (await Assert.ThrowsAsync<StoreException>(() => session.CommitAsync(TestVault.Draft(), None))).Kind);
        await Assert.ThrowsAsync<StoreException>(() => other.Keys.RotateAsync(None));
        Assert.Empty(await backend.AllAsync("keys/"));
        await session.DisposeAsync();
        await TestVault.Key.AssertRefusedAsync(backend, StoreErrorKind.Corrupt);
        Assert.NotNull(snapshot);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10_001)]
    public void A_ring_with_too_few_or_too_many_data_keys_is_damaged(int count)
    {
        var ring = KeyRing.Generate(Guid.NewGuid()).Format();
        var changed = ring[..152].Concat(Enumerable.Range(1, count).SelectMany(epoch => (byte[])[.. BitConverter.GetBytes(epoch), .. new byte[32]])).ToArray();
        BitConverter.GetBytes((ushort)count).CopyTo(changed, 6);
        Assert.Equal(StoreErrorKind.Corrupt, Assert.Throws<StoreException>(() => KeyRing.Parse(changed)).Kind);
    }

    [Fact]
    public void A_ring_with_two_data_keys_of_one_epoch_is_damaged()
    {
        var ring = KeyRing.Generate(Guid.NewGuid()).Format();
        byte[] changed = [.. ring, .. ring[152..]];
        changed[6] = 2;
        Assert.Equal(StoreErrorKind.Corrupt, Assert.Throws<StoreException>(() => KeyRing.Parse(changed)).Kind);
    }

    private static SparseDisk Disk(int seed)
    {
        var disk = new SparseDisk(2 << 20);
        disk.Write(0, TestVault.Noise(seed, 900_000));
        return disk;
    }

    private async Task<byte[]> RingKeyAsync(IKeyEncryptionKey key, string kindOrId)
    {
        var blob = (await backend.AllAsync("keys/"))[^1];
        var json = System.Text.Json.Nodes.JsonNode.Parse(await backend.ContentAsync(blob.Name))!;
        var wrap = json["wraps"]!.AsArray().Single(one => (string)one!["kind"]! == kindOrId || (string)one["kekId"]! == kindOrId);
        return await key.UnwrapAsync(Convert.FromBase64String((string)wrap!["wrapped"]!), None);
    }

    private async Task<List<uint>> EpochsAsync()
    {
        var epochs = new List<uint>();
        foreach (var pack in await backend.AllAsync("packs/"))
            epochs.Add(Store.Packs.PackFormat.EpochOf(await backend.ContentAsync(pack.Name)));
        return epochs;
    }
}
