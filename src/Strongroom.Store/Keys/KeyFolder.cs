using System.Globalization;
using System.Security.Cryptography;
using Strongroom.Store.Blobs;

namespace Strongroom.Store.Keys;

/// <summary>A blob of <c>keys/</c> that was read.</summary>
/// <param name="Number">The generation in its name.</param>
/// <param name="Content">What it holds; null when it could not be read as one.</param>
/// <param name="Digest">SHA-256 of the blob.</param>
/// <param name="Failure">Why <paramref name="Content"/> is null.</param>
internal sealed record KeyBlob(uint Number, KeyGeneration? Content, byte[] Digest, StoreException? Failure);

/// <summary>The generations of one vault's keys in <c>keys/</c>. Thread-safe.</summary>
internal sealed class KeyFolder(IBlobBackend backend, Guid vaultId)
{
    public const string Prefix = "keys/";
    private const int GreatestLengthBytes = 1 << 20;

    /// <summary>The numbers of the generations that are there, ascending.</summary>
    public async Task<List<uint>> ListAsync(CancellationToken cancellationToken)
    {
        var numbers = new List<uint>();
        await foreach (var blob in backend.ListAsync(Prefix, cancellationToken))
        {
            if (uint.TryParse(blob.Name.AsSpan(Prefix.Length).ToString().Split('-')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && blob.Name == NameOf(number))
                numbers.Add(number);
        }

        return [.. numbers.Order()];
    }

    /// <summary>Null when the generation is not there (any more).</summary>
    public async Task<KeyBlob?> ReadAsync(uint number, CancellationToken cancellationToken)
    {
        var name = NameOf(number);
        if (await BlobCopy.ReadAsync(backend, name, GreatestLengthBytes, cancellationToken) is not { } content)
            return null;
        var digest = SHA256.HashData(content);
        try
        {
            var generation = KeyGeneration.Parse(name, content);
            return generation.Number == number
                ? new(number, generation, digest, null)
                : throw new StoreException(StoreErrorKind.Corrupt, $"'{name}' holds generation {generation.Number} of the vault's keys: it was put in a wrong place.");
        }
        catch (StoreException failure)
        {
            return new(number, null, digest, failure);
        }
    }

    /// <summary>Writes a generation; its digest, or null when the number is taken.</summary>
    public async Task<byte[]?> TryWriteAsync(KeyGeneration generation, CancellationToken cancellationToken)
    {
        var content = generation.Format();
        if (content.Length > GreatestLengthBytes)
            throw new StoreException(StoreErrorKind.InvalidRequest, "The vault has too many keys and wraps: its key ring would be longer than 1 MiB. Remove wraps.");
        return await backend.PutIfAbsentAsync(NameOf(generation.Number), content, cancellationToken) ? SHA256.HashData(content) : null;
    }

    /// <summary>Makes every generation that is visible durable.</summary>
    public ValueTask SyncAsync(CancellationToken cancellationToken) => backend.SyncAsync(Prefix, cancellationToken);

    /// <summary>Removes every generation below a number, oldest first. What the storage retains stays for a later change to remove.</summary>
    public async Task DeleteBelowAsync(uint number, CancellationToken cancellationToken)
    {
        foreach (var older in await ListAsync(cancellationToken))
        {
            if (older < number)
                await TryDeleteAsync(older, cancellationToken);
        }
    }

    /// <summary>Removes everything: nothing opens the vault afterwards.</summary>
    /// <exception cref="StoreException">Locked: the storage retains some of it; the rest is gone. To be repeated after that time.</exception>
    public async Task DeleteAllAsync(CancellationToken cancellationToken)
    {
        StoreException? retained = null;
        foreach (var number in await ListAsync(cancellationToken))
            retained = await TryDeleteAsync(number, cancellationToken) ?? retained;
        if (retained is not null)
            throw retained;
    }

    private async Task<StoreException?> TryDeleteAsync(uint number, CancellationToken cancellationToken)
    {
        try
        {
            await backend.DeleteAsync(NameOf(number), cancellationToken);
            return null;
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.Locked)
        {
            return failure;
        }
    }

    /// <summary>The name of a generation's blob.</summary>
    public string NameOf(uint number) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:D8}{SuffixOf(vaultId)}");

    /// <summary>True for the name of a blob in the folder that is this vault's.</summary>
    public static bool IsOf(string name, Guid vaultId) => name.EndsWith(SuffixOf(vaultId), StringComparison.Ordinal);

    private static string SuffixOf(Guid vaultId) => $"-{vaultId:N}";
}
