using System.Security.Cryptography;

namespace Strongroom.Store.Tests.Keys;

public sealed class EscrowKeyTests
{
    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData("1.2.840.10045.3.1.7")]
    [InlineData("1.3.132.0.34")]
    public async Task What_is_wrapped_to_a_public_key_only_its_private_half_opens(string curve)
    {
        using var key = ECDiffieHellman.Create(ECCurve.CreateFromValue(curve));
        using var stranger = ECDiffieHellman.Create(ECCurve.CreateFromValue(curve));
        var publicKey = EscrowKey.FromPublicPem(key.ExportSubjectPublicKeyInfoPem());
        var privateKey = EscrowKey.FromPrivatePem(key.ExportPkcs8PrivateKeyPem(), null);
        Assert.Equal(publicKey.KeyId, privateKey.KeyId);
        var wrapped = await publicKey.WrapAsync("ring"u8.ToArray(), None);
        Assert.Equal("ring"u8.ToArray(), await privateKey.UnwrapAsync(wrapped, None));
        Assert.NotEqual(wrapped, await publicKey.WrapAsync("ring"u8.ToArray(), None));
        await Assert.ThrowsAnyAsync<CryptographicException>(async () => await publicKey.UnwrapAsync(wrapped, None));
        var other = EscrowKey.FromPrivatePem(stranger.ExportPkcs8PrivateKeyPem(), null);
        await Assert.ThrowsAnyAsync<CryptographicException>(async () => await other.UnwrapAsync(wrapped, None));
        for (var at = 0; at < wrapped.Length; at += 7)
        {
            var changed = wrapped.ToArray();
            changed[at] ^= 4;
            await Assert.ThrowsAnyAsync<CryptographicException>(async () => await privateKey.UnwrapAsync(changed, None));
            await Assert.ThrowsAnyAsync<CryptographicException>(async () => await privateKey.UnwrapAsync(wrapped.AsMemory(0, at), None));
        }
    }

    [Fact]
    public void Weak_or_strange_keys_and_private_ones_in_the_place_of_public_ones_are_refused()
    {
        using var small = RSA.Create(2048);
        using var curve = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP521);
        using var good = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        foreach (var pem in (string[])["", "text", small.ExportSubjectPublicKeyInfoPem(), curve.ExportSubjectPublicKeyInfoPem(), good.ExportPkcs8PrivateKeyPem()])
            Assert.Equal(StoreErrorKind.InvalidRequest, Assert.Throws<StoreException>(() => EscrowKey.FromPublicPem(pem)).Kind);
        Assert.Equal(StoreErrorKind.InvalidRequest, Assert.Throws<StoreException>(() => EscrowKey.FromPrivatePem(good.ExportSubjectPublicKeyInfoPem(), null)).Kind);
        var encrypted = good.ExportEncryptedPkcs8PrivateKeyPem("pw", new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 10));
        Assert.Equal(StoreErrorKind.WrongKey, Assert.Throws<StoreException>(() => EscrowKey.FromPrivatePem(encrypted, "px")).Kind);
        Assert.Equal(StoreErrorKind.WrongKey, Assert.Throws<StoreException>(() => EscrowKey.FromPrivatePem(encrypted, null)).Kind);
    }
}
