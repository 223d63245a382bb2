using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>The key of a vault: a file that an option or the environment names, or a passphrase in the environment. Never an argument's value, which every user of the machine can read.</summary>
/// <remarks>A key file is a master key, or the private half of an escrow key in PEM form.</remarks>
internal sealed class VaultKey
{
    public const string KeyFileVariable = "STRONGROOM_KEY_FILE";
    public const string PassphraseVariable = "STRONGROOM_PASSPHRASE";
    public const string EscrowPasswordVariable = "STRONGROOM_ESCROW_PASSWORD";

    private const int LeastPassphraseLength = 12;

    private readonly string? passphrase;

    private VaultKey(string? path, string? passphrase)
    {
        Path = path is null ? null : System.IO.Path.GetFullPath(path);
        this.passphrase = passphrase;
    }

    /// <summary>The key's file; null for a passphrase.</summary>
    public string? Path { get; }

    /// <summary>False when it is a file that is not there.</summary>
    public bool Exists => Path is null || File.Exists(Path);

    /// <param name="option">What <c>--key-file</c> says; null without it.</param>
    /// <exception cref="UsageException">Nobody named a key.</exception>
    public static VaultKey Find(string? option) => FindOrNull(option)
        ?? throw new UsageException($"The vault's key is missing: name its file with --key-file or {KeyFileVariable}, or put a passphrase into {PassphraseVariable}.");

    /// <summary>As <see cref="Find"/>; null when nobody named a key.</summary>
    public static VaultKey? FindOrNull(string? option)
    {
        if (FirstOf(option, Environment.GetEnvironmentVariable(KeyFileVariable)) is { } path)
            return new(path, null);
        return FirstOf(Environment.GetEnvironmentVariable(PassphraseVariable)) is { } passphrase ? new(null, passphrase) : null;
    }

    /// <summary>A key file.</summary>
    public static VaultKey OfFile(string path) => new(path, null);

    /// <exception cref="UsageException">It is a folder.</exception>
    /// <exception cref="StoreException">WrongKey: no such file, or it is no key.</exception>
    public IKeyEncryptionKey Load()
    {
        if (Path is null)
            return new PassphraseKey(passphrase!);
        if (Directory.Exists(Path))
            throw new UsageException($"'{Path}' is a folder. Name the key's file.");
        if (!File.Exists(Path))
            throw new StoreException(StoreErrorKind.WrongKey, $"There is no key file '{Path}'. Restore it from its safe copy; a vault cannot be read without a key it was made with.");
        var text = KeyText.Read(Path);
        return text.StartsWith("-----BEGIN ", StringComparison.Ordinal)
            ? EscrowKey.FromPrivatePem(text, Environment.GetEnvironmentVariable(EscrowPasswordVariable))
            : MasterKeyFile.Load(Path);
    }

    /// <summary>As <see cref="Load"/> for a key that is to open something new: makes a master key where no file is, and takes no weak passphrase.</summary>
    /// <exception cref="UsageException">The passphrase is too short, or the file is a folder.</exception>
    public IKeyEncryptionKey LoadOrCreate()
    {
        if (Path is null)
            return OfNewPassphrase(passphrase!, PassphraseVariable);
        return System.IO.Path.Exists(Path) ? Load() : MasterKeyFile.LoadOrCreate(Path);
    }

    /// <summary>A key of a passphrase that nothing is under yet.</summary>
    /// <param name="words">The passphrase.</param>
    /// <param name="variable">Where it was, for the message.</param>
    /// <exception cref="UsageException">It is too short: whoever has the vault can try short ones without end.</exception>
    public static IKeyEncryptionKey OfNewPassphrase(string words, string variable) => words.Length >= LeastPassphraseLength
        ? new PassphraseKey(words)
        : throw new UsageException($"The passphrase in {variable} is too short: {LeastPassphraseLength} characters are the least, and several words are better.");

    private static string? FirstOf(params ReadOnlySpan<string?> candidates)
    {
        foreach (var candidate in candidates)
        {
            if (!string.IsNullOrEmpty(candidate))
                return candidate;
        }

        return null;
    }
}
