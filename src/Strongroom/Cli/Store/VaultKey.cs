using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>The key of a vault: a file that an option or the environment names. Never an argument's value, which every user of the machine can read.</summary>
internal sealed class VaultKey
{
    public const string KeyFileVariable = "STRONGROOM_KEY_FILE";

    private VaultKey(string path) => Path = System.IO.Path.GetFullPath(path);

    public string Path { get; }

    public bool Exists => File.Exists(Path);

    /// <param name="option">What <c>--key-file</c> says; null without it.</param>
    /// <exception cref="UsageException">Nobody named a key.</exception>
    public static VaultKey Find(string? option)
    {
        var path = option ?? Environment.GetEnvironmentVariable(KeyFileVariable);
        return string.IsNullOrEmpty(path)
            ? throw new UsageException($"The vault's key is missing: name its file with --key-file or {KeyFileVariable}.")
            : new(path);
    }

    /// <exception cref="StoreException">WrongKey: no such file, or it is no key.</exception>
    public IKeyEncryptionKey Load() => Exists
        ? MasterKeyFile.LoadOrCreate(Path)
        : throw new StoreException(StoreErrorKind.WrongKey, $"There is no key file '{Path}'. Restore it from its safe copy; a vault cannot be read without the key it was made with.");

    public IKeyEncryptionKey LoadOrCreate() => MasterKeyFile.LoadOrCreate(Path);
}
