using System.Globalization;
using System.Security.Cryptography;

namespace Strongroom.Blocks.Iscsi.Login;

/// <summary>CHAP as RFC 7143, 12.1.3, writes it: algorithm, challenge, response, and the target's own response where it is asked for one.</summary>
internal sealed class ChapExchange(Func<string, CredentialPair?> find, Func<byte[]> newChallenge)
{
    /// <summary>An identifier and a challenge.</summary>
    public const int ChallengeBytes = 33;

    private const int MostChallengeBytes = 1024;

    private string? _algorithm;
    private byte[] _challenge = [];
    private byte _identifier;

    /// <summary>Who proved to be who; null before that.</summary>
    public string? UserName { get; private set; }

    /// <summary>The answers to the CHAP keys of one request.</summary>
    /// <exception cref="LoginRefusedException">The initiator did not prove what it should, or asks for what is not there.</exception>
    public IEnumerable<KeyValuePair<string, string>> Answer(IReadOnlyDictionary<string, string> keys)
    {
        if (keys.TryGetValue("CHAP_A", out var list))
            return Challenge(list);
        if (keys.ContainsKey("CHAP_N") || keys.ContainsKey("CHAP_R"))
            return Verify(keys);
        return keys.ContainsKey("CHAP_I") || keys.ContainsKey("CHAP_C") ? throw Failure("asks before it has answered") : [];
    }

    private KeyValuePair<string, string>[] Challenge(string list)
    {
        if (_algorithm is not null)
            throw Failure("asks for a second challenge");
        _algorithm = ChapAlgorithm.Choose(list) ?? throw Failure("speaks no digest of CHAP that is spoken here");
        var challenge = newChallenge();
        (_identifier, _challenge) = (challenge[0], challenge[1..]);
        return [new("CHAP_A", _algorithm), new("CHAP_I", _identifier.ToString(CultureInfo.InvariantCulture)), new("CHAP_C", BinaryValue.Format(_challenge))];
    }

    private KeyValuePair<string, string>[] Verify(IReadOnlyDictionary<string, string> keys)
    {
        if (_algorithm is null || UserName is not null)
            throw Failure("answers what it was not asked");
        if (!keys.TryGetValue("CHAP_N", out var name) || !keys.TryGetValue("CHAP_R", out var text) || BinaryValue.Parse(text, SHA256.HashSizeInBytes) is not { } response)
            throw Failure("gives no proper answer");

        // The response is computed for a name that is not known, too: the time says nothing.
        var pair = find(name);
        var expected = ChapAlgorithm.Response(_algorithm, _identifier, pair?.Initiator.Secret ?? _challenge, _challenge);
        if (!CryptographicOperations.FixedTimeEquals(expected, response) || pair is null)
            throw Failure("does not know the secret");
        var mine = keys.ContainsKey("CHAP_I") || keys.ContainsKey("CHAP_C") ? Prove(pair.Target, keys) : [];
        UserName = name;
        return mine;
    }

    private KeyValuePair<string, string>[] Prove(ChapCredentials? self, IReadOnlyDictionary<string, string> keys)
    {
        if (self is null)
            throw Failure("asks for mutual CHAP, for which the target has no secret");
        if (!byte.TryParse(keys.GetValueOrDefault("CHAP_I"), NumberStyles.None, CultureInfo.InvariantCulture, out var identifier)
            || BinaryValue.Parse(keys.GetValueOrDefault("CHAP_C") ?? "", MostChallengeBytes) is not { Length: > 0 } challenge)
            throw Failure("gives no proper challenge");

        // Whoever sends our own challenge back wants us to answer it for him (RFC 7143, 9.2.1).
        if (challenge.AsSpan().SequenceEqual(_challenge))
            throw Failure("sends the target's own challenge back");
        var response = ChapAlgorithm.Response(_algorithm!, identifier, self.Secret, challenge);
        return [new("CHAP_N", self.UserName), new("CHAP_R", BinaryValue.Format(response))];
    }

    private static LoginRefusedException Failure(string what) => new(LoginStatus.AuthenticationFailure, $"The initiator {what}.");
}

/// <summary>What the initiator proves, and what the target proves when it is asked.</summary>
internal sealed record CredentialPair(ChapCredentials Initiator, ChapCredentials? Target);
