using System.Security.Cryptography;

namespace Strongroom.Identity.Principals;

/// <summary>Secrets of service principals.</summary>
public static class ClientSecrets
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private const int LengthCharacters = 43; // 256 bits

    /// <summary>A new secret of letters and digits alone: one that begins with a hyphen would be an option to command lines.</summary>
    public static string New() => RandomNumberGenerator.GetString(Alphabet, LengthCharacters);
}
