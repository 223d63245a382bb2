namespace Strongroom.Store.Blobs.Conformance;

/// <summary>One rule and how it is tried.</summary>
internal sealed record ConformanceRule(string Name, string Requirement, Func<Scratch, CancellationToken, Task> TryAsync);

/// <summary>A back end was seen to break a rule.</summary>
internal sealed class RuleViolationException(string message) : Exception(message);

/// <summary>The folder that one rule has for itself, and what rules do often.</summary>
internal sealed class Scratch(IBlobBackend backend, string folder, ConformanceOptions options, TimeProvider time)
{
    public IBlobBackend Backend => backend;

    public IRetainingBackend Retention => NoRetention.Or(backend);

    public TimeProvider Time => time;

    public ConformanceOptions Options => options;

    /// <summary>The full name of a blob in the folder.</summary>
    public string this[string name] => folder + name;

    public static void Require(bool isKept, string violation)
    {
        if (!isKept)
            throw new RuleViolationException(violation);
    }

    /// <summary>Bytes that differ from place to place and from seed to seed.</summary>
    public static byte[] Bytes(int seed, int count)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public async Task PutAsync(string name, byte[] content, CancellationToken cancellationToken) =>
        Require(await backend.PutIfAbsentAsync(this[name], content, cancellationToken), $"The new name '{name}' was reported as taken.");

    /// <summary>Writes in pieces and commits; what the commit said.</summary>
    public async Task<bool> WriteAsync(string name, byte[] content, int pieceBytes, CancellationToken cancellationToken)
    {
        await using var writer = await backend.CreateAsync(this[name], cancellationToken);
        for (var offset = 0; offset < content.Length; offset += pieceBytes)
            await writer.AppendAsync(content.AsMemory(offset, Math.Min(pieceBytes, content.Length - offset)), cancellationToken);
        Require(writer.LengthBytes == content.Length, $"The writer counts {writer.LengthBytes} bytes of {content.Length}.");
        await writer.FlushAsync(cancellationToken);
        return await writer.CommitAsync(cancellationToken);
    }

    /// <summary>Reads a range, however long the blob really is.</summary>
    public async Task<byte[]> ReadAsync(string name, long offsetBytes, int count, CancellationToken cancellationToken)
    {
        var buffer = new byte[count];
        return buffer[..await backend.ReadAsync(this[name], offsetBytes, buffer, cancellationToken)];
    }

    public async Task RequireContentAsync(string name, byte[] content, CancellationToken cancellationToken)
    {
        var length = await backend.GetLengthAsync(this[name], cancellationToken);
        Require(length == content.Length, $"The length of '{name}' is {(length is null ? "none" : length)}, and {content.Length} was written.");

        // One byte more than there is: what was added at the end shows, too.
        Require((await ReadAsync(name, 0, content.Length + 1, cancellationToken)).AsSpan().SequenceEqual(content), $"'{name}' does not hold the bytes that were written.");
    }

    public async Task RequireAbsentAsync(string name, CancellationToken cancellationToken)
    {
        Require(await backend.GetLengthAsync(this[name], cancellationToken) is null, $"'{name}' has a length though it must not be there.");
        try
        {
            await backend.ReadAsync(this[name], 0, new byte[1], cancellationToken);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.NotFound)
        {
            return;
        }

        throw new RuleViolationException($"'{name}' can be read though it must not be there.");
    }

    /// <summary>Names in the folder or a folder in it, without the folder itself.</summary>
    public async Task<List<BlobInfo>> ListAsync(string subfolder, CancellationToken cancellationToken)
    {
        var found = new List<BlobInfo>();
        await foreach (var blob in backend.ListAsync(this[subfolder], cancellationToken))
        {
            Require(blob.Name.StartsWith(folder, StringComparison.Ordinal), $"The list of '{folder}{subfolder}' holds '{blob.Name}'.");
            found.Add(blob with { Name = blob.Name[folder.Length..] });
        }

        return found;
    }
}
