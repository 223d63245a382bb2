using System.Text.Json;
using System.Text.Json.Nodes;

namespace Strongroom.Store.S3;

/// <summary>What <c>backend.json</c> records of a place (<c>docs/store-format.md</c> section 11). Thread-safe.</summary>
internal sealed class S3Modes(S3Objects objects) : IDisposable
{
    private const string Name = "backend.json";
    private const string Format = "strongroom-backend";
    private const int GreatestLengthBytes = 4096;
    private readonly SemaphoreSlim gate = new(1, 1);
    private S3CreateMode? mode;

    /// <summary>The recorded mode, or what a probe finds, which is then recorded.</summary>
    public async Task<S3CreateMode> RequireAsync(CancellationToken cancellationToken)
    {
        if (mode is { } known)
            return known;
        await gate.WaitAsync(cancellationToken);
        try
        {
            mode ??= await ReadAsync(cancellationToken) ?? await ProbeAsync(cancellationToken);
            return mode.Value;
        }
        finally
        {
            gate.Release();
        }
    }

    public void Dispose() => gate.Dispose();

    private async Task<S3CreateMode?> ReadAsync(CancellationToken cancellationToken)
    {
        if (await objects.HeadAsync(Name, cancellationToken) is null)
            return null;
        var buffer = new byte[GreatestLengthBytes];
        var (read, _) = await objects.GetAsync(Name, 0, buffer, cancellationToken);
        if (Parse(buffer.AsSpan(0, read)) is not { } recorded)
            throw new StoreException(StoreErrorKind.Corrupt, $"'{Name}' in the bucket '{objects.Place.Bucket}' is damaged. Remove it if the server is the one the vault was made on: it is probed again then.");
        return recorded == S3CreateMode.SingleWriter && !objects.Place.IsSingleWriter
            ? throw new StoreException(
                StoreErrorKind.InvalidRequest,
                "This vault was made for a single writer, since its server cannot create conditionally: two programs that write at once could lose "
                + "recovery points. Add writers=single to its location to say that no other program writes to it.")
            : recorded;
    }

    private async Task<S3CreateMode> ProbeAsync(CancellationToken cancellationToken)
    {
        var found = await S3Probe.RunAsync(objects, cancellationToken);
        if (found == S3CreateMode.SingleWriter && !objects.Place.IsSingleWriter)
        {
            throw new StoreException(
                StoreErrorKind.Unsupported,
                $"The S3 server of the bucket '{objects.Place.Bucket}' does not honour 'If-None-Match: *': two writers could overwrite each other. "
                + "Use a server that does, or add writers=single to the location if only one program at a time will ever write to this vault.");
        }

        using var content = new MemoryStream(Write(found));
        _ = await objects.PutAsync(Name, content, S3Objects.NewNonce(), isConditional: found != S3CreateMode.SingleWriter, cancellationToken);

        // Another program may have been first: what is recorded counts.
        return await ReadAsync(cancellationToken) ?? throw new StoreException(StoreErrorKind.Io, $"'{Name}' was written and is not there. Try again; if it stays, the server does not keep what it takes.");
    }

    private static byte[] Write(S3CreateMode mode)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("format", Format);
            json.WriteNumber("version", 1);
            json.WriteString("creation", TextOf(mode));
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static S3CreateMode? Parse(ReadOnlySpan<byte> content)
    {
        try
        {
            var json = JsonNode.Parse(content)!.AsObject();
            if ((string?)json["format"] != Format || (int)json["version"]! != 1)
                return null;
            var text = (string?)json["creation"];
            foreach (var mode in Enum.GetValues<S3CreateMode>())
            {
                if (TextOf(mode) == text)
                    return mode;
            }

            return null;
        }
        catch (Exception failure) when (failure is JsonException or FormatException or InvalidOperationException or NullReferenceException or ArgumentNullException)
        {
            return null;
        }
    }

    private static string TextOf(S3CreateMode mode) => mode switch
    {
        S3CreateMode.Conditional => "conditional",
        S3CreateMode.ConditionalWhole => "conditional-whole",
        _ => "single-writer",
    };
}
