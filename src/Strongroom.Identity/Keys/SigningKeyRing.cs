using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;

namespace Strongroom.Identity.Keys;

/// <summary>
/// The issuer's keys, kept as PKCS#8 PEM files in one folder, <c>{time of making}.pem</c>. The newest signs, all of them
/// verify: a key is rotated by <see cref="Rotate"/> (or by putting a newer file there before a start) and retired by
/// deleting its file once the last token it signed has expired. Thread-safe; a rotation is seen by the next token.
/// </summary>
public sealed class SigningKeyRing
{
    private const string TimeFormat = "yyyyMMdd'T'HHmmss'Z'";
    private const int KeySizeBits = 2048;

    private readonly string folder;
    private readonly TimeProvider time;
    private readonly Lock rotation = new();

    // Replaced whole under the lock, read without it.
    private volatile KeyList keys;

    private SigningKeyRing(string folder, TimeProvider time, ImmutableArray<SigningKey> newestFirst)
    {
        this.folder = folder;
        this.time = time;
        keys = new KeyList(newestFirst);
    }

    /// <summary>All keys, the newest first; never empty.</summary>
    public ImmutableArray<SigningKey> All => keys.NewestFirst;

    /// <summary>The key that signs.</summary>
    public SigningKey Current => keys.NewestFirst[0];

    /// <summary>Reads the keys of a folder, making the folder (mode 0700) and a first key where there is none.</summary>
    /// <exception cref="InvalidDataException">A .pem file there is not an RSA private key; the message names it.</exception>
    /// <exception cref="IOException">The folder cannot be read or written.</exception>
    public static SigningKeyRing Open(string folder, TimeProvider time)
    {
        KeyFile.CreateFolder(folder);
        var found = Directory.EnumerateFiles(folder, "*.pem").Select(Read).OrderByDescending(key => key.CreatedAt)
            .ThenBy(key => key.KeyId, StringComparer.Ordinal).ToImmutableArray();
        var ring = new SigningKeyRing(folder, time, found);
        if (found.IsEmpty)
            ring.Rotate();
        return ring;
    }

    /// <summary>Makes a new key, on disk before it is used; the older ones go on verifying.</summary>
    /// <returns>The new current key.</returns>
    /// <exception cref="IOException">The key cannot be written; nothing has changed.</exception>
    public SigningKey Rotate()
    {
        lock (rotation)
        {
            var createdAt = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());

            // The newest file must sign after the next start too, whatever the clock said meanwhile.
            if (!All.IsEmpty && createdAt <= Current.CreatedAt)
                createdAt = Current.CreatedAt.AddSeconds(1);

            var rsa = RSA.Create(KeySizeBits);
            var name = createdAt.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture) + ".pem";
            KeyFile.Write(Path.Combine(folder, name), rsa.ExportPkcs8PrivateKeyPem());
            var key = new SigningKey(rsa, createdAt);
            keys = new KeyList(All.Insert(0, key));
            return key;
        }
    }

    private static SigningKey Read(string path)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        if (!DateTimeOffset.TryParseExact(
            name, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var createdAt))
        {
            throw new InvalidDataException($"'{path}' is not named like a signing key: yyyyMMddTHHmmssZ.pem.");
        }

        var rsa = RSA.Create();
        try
        {
            rsa.ImportFromPem(File.ReadAllText(path));
            _ = rsa.ExportParameters(includePrivateParameters: true);
        }
        catch (Exception error) when (error is ArgumentException or CryptographicException)
        {
            rsa.Dispose();
            throw new InvalidDataException($"'{path}' does not hold an RSA private key in PEM form.", error);
        }

        return new SigningKey(rsa, createdAt);
    }

    private sealed record KeyList(ImmutableArray<SigningKey> NewestFirst);
}
