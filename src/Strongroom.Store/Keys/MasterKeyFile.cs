using System.Security.Cryptography;
using System.Text;
using Strongroom.Store.Blobs;
using Strongroom.Store.Keys;

namespace Strongroom.Store;

/// <summary>A key encryption key in a text file of mode 0600 (<c>docs/store-format.md</c> section 3). Whoever loses it loses every vault it wraps.</summary>
public sealed class MasterKeyFile : IKeyEncryptionKey
{
    private const string FirstLine = "strongroom-master-key-v1";
    private const int KeyLengthBytes = 32;
    private readonly byte[] key;

    internal MasterKeyFile(byte[] key)
    {
        this.key = key;
        var digest = SHA256.HashData([.. "strongroom-master-key-id"u8, .. key]);
        KeyId = "file:" + Convert.ToHexStringLower(digest.AsSpan(0, 8));
    }

    /// <inheritdoc/>
    public string Kind => "file";

    /// <inheritdoc/>
    public string KeyId { get; }

    /// <summary>Reads the key, or makes one where no file is. Two processes that race end with the same key.</summary>
    /// <exception cref="StoreException">WrongKey: the file is not a master key. Io: it cannot be read or made.</exception>
    public static MasterKeyFile LoadOrCreate(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Read(path, createsMissing: true);
    }

    /// <summary>Reads the key and never makes one.</summary>
    /// <exception cref="StoreException">WrongKey: there is no such file, or it is not a master key. Io: it cannot be read.</exception>
    public static MasterKeyFile Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return File.Exists(path)
            ? Read(path, createsMissing: false)
            : throw new StoreException(StoreErrorKind.WrongKey, $"There is no key file '{path}'. Restore it from its safe copy; a vault cannot be read without a key it was made with.");
    }

    /// <inheritdoc/>
    public ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> plain, CancellationToken cancellationToken) => new(AesWrap.Seal(key, plain.Span, default));

    /// <inheritdoc/>
    public ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> wrapped, CancellationToken cancellationToken) => new(AesWrap.Open(key, wrapped.Span, default));

    /// <summary>Reads the file's text.</summary>
    /// <exception cref="StoreException">WrongKey: it is not a master key's.</exception>
    internal static MasterKeyFile Parse(string text, string path)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var key = new byte[KeyLengthBytes];
        if (lines.Length == 2 && lines[0] == FirstLine
            && Convert.TryFromBase64String(lines[1], key, out var length) && length == KeyLengthBytes)
            return new(key);
        throw new StoreException(
            StoreErrorKind.WrongKey, $"'{path}' is not a Strongroom master key file. Restore the right file from its safe copy; do not replace it.");
    }

    private static MasterKeyFile Read(string path, bool createsMissing)
    {
        path = Path.GetFullPath(path);
        try
        {
            if (createsMissing && !File.Exists(path))
                Create(path);
            return Parse(KeyText.Read(path), path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(
                StoreErrorKind.Io, $"The master key file '{path}' cannot be read or made: {failure.Message}. Check its owner and mode.", failure);
        }
    }

    private static void Create(string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        var text = Encoding.ASCII.GetBytes($"{FirstLine}\n{Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyLengthBytes))}\n");
        var temporaryPath = Path.Combine(folder, $".{Guid.NewGuid():N}.tmp");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        try
        {
            using (var file = new FileStream(temporaryPath, options))
            {
                file.Write(text);
                file.Flush(flushToDisk: true);
            }

            // False: another process was faster. Its key is the key.
            _ = PosixCalls.TryLink(temporaryPath, path);
            FolderSync.Sync(folder);
        }
        finally
        {
            File.Delete(temporaryPath);
        }
    }
}
