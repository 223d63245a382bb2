using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Strongroom.Blocks.Iscsi.Login;

/// <summary>The digests of CHAP that are spoken, by the numbers that IANA gave them (PPP Authentication Algorithms).</summary>
internal static class ChapAlgorithm
{
    public const string Md5 = "5";
    public const string Sha256 = "7";

    /// <summary>The first of the initiator's list that is spoken; null for none.</summary>
    public static string? Choose(string list) => list.Split(',').FirstOrDefault(algorithm => algorithm is Md5 or Sha256);

    /// <summary>What proves the knowledge of a secret (RFC 1994, 4.1).</summary>
    [SuppressMessage("Security", "CA5351", Justification = "MD5 is what RFC 7143 makes every initiator speak; better is chosen where it is offered first.")]
    public static byte[] Response(string algorithm, byte identifier, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> challenge)
    {
        byte[] message = [identifier, .. secret, .. challenge];
        return algorithm == Sha256 ? SHA256.HashData(message) : MD5.HashData(message);
    }
}
