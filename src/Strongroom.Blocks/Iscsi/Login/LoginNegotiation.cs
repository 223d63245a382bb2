using System.Globalization;
using Strongroom.Blocks.Iscsi.Pdus;

namespace Strongroom.Blocks.Iscsi.Login;

/// <summary>Who may log in to what. Safe from many threads.</summary>
internal interface ILoginDirectory
{
    /// <summary>Whether a target of that name is there.</summary>
    bool HasTarget(string targetName);

    /// <summary>The secrets of a name in a login to a target, or in a discovery when that is null.</summary>
    CredentialPair? Find(string? targetName, string userName);
}

/// <summary>An answer to a login request.</summary>
/// <param name="Flags">T, C, CSG and NSG as they go on the wire.</param>
/// <param name="Keys">Its text.</param>
/// <param name="IsComplete">The full feature phase begins after it.</param>
internal sealed record LoginAnswer(byte Flags, IReadOnlyList<KeyValuePair<string, string>> Keys, bool IsComplete);

/// <summary>The login phase of one connection (RFC 7143, 6.3 and 11.12) without the wire: requests in, answers out. CHAP always.</summary>
internal sealed class LoginNegotiation(ILoginDirectory directory, Func<byte[]> newChallenge)
{
    private const int MostRequests = 32;
    private const int Security = 0;
    private const int Operational = 1;
    private const int FullFeature = 3;

    private static readonly HashSet<string> LoginKeys =
        ["InitiatorName", "InitiatorAlias", "TargetName", "SessionType", "AuthMethod", "CHAP_A", "CHAP_I", "CHAP_C", "CHAP_N", "CHAP_R"];

    private readonly TextAssembler _text = new();
    private readonly HashSet<string> _seen = [];
    private ChapExchange? _chap;
    private OperationalNegotiation? _operational;
    private int _stage = Security;
    private int _requests;
    private bool _hasDeclaredSegment;

    public SessionParameters Parameters { get; } = new();

    public string? InitiatorName { get; private set; }

    /// <summary>Null in a discovery session.</summary>
    public string? TargetName { get; private set; }

    public bool IsDiscovery { get; private set; }

    /// <summary>The name that was proved; not null once the login is complete.</summary>
    public string? UserName => _chap?.UserName;

    /// <exception cref="LoginRefusedException">The login fails.</exception>
    /// <exception cref="IscsiProtocolException">The request is malformed.</exception>
    public LoginAnswer Answer(Pdu request)
    {
        RequireSound(request);
        var (current, next) = ((request.Flags >> 2) & 3, request.Flags & 3);
        if (_text.Add(request) is not { } pairs)
            return new((byte)(current << 2), [], IsComplete: false);

        var isFirst = InitiatorName is null;
        foreach (var (key, _) in pairs)
        {
            // Some initiators say who they are in each stage.
            if (!LoginKeys.Contains(key) && !_seen.Add(key))
                throw new LoginRefusedException(LoginStatus.InitiatorError, $"The initiator sent the key {key} twice.");
        }

        var keys = pairs.ToDictionary();
        if (isFirst)
            Begin(keys);
        else if (keys.GetValueOrDefault("InitiatorName", InitiatorName!) != InitiatorName || keys.GetValueOrDefault("TargetName", TargetName ?? "") != (TargetName ?? ""))
            throw new LoginRefusedException(LoginStatus.InitiatorError, "The initiator changed a name while it logged in.");
        List<KeyValuePair<string, string>> answers = isFirst && !IsDiscovery ? [new("TargetPortalGroupTag", "1")] : [];
        AnswerSecurity(keys, answers);
        AnswerOperational(pairs, answers, current);
        return Move(request, current, next, answers);
    }

    private void RequireSound(Pdu request)
    {
        if (request.Opcode != IscsiOpcode.LoginRequest)
            throw new LoginRefusedException(LoginStatus.InvalidDuringLogin, $"The initiator sent opcode 0x{(byte)request.Opcode:x2} before it logged in.");
        if (++_requests > MostRequests)
            throw new LoginRefusedException(LoginStatus.InitiatorError, $"The initiator sent more than {MostRequests} login requests.");
        if (request.Header[3] > 0)
            throw new LoginRefusedException(LoginStatus.UnsupportedVersion, "The initiator speaks a later version only.");
        var stage = (request.Flags >> 2) & 3;
        if (stage != _stage && !(_requests == 1 && stage == Operational))
            throw new LoginRefusedException(LoginStatus.InitiatorError, $"The initiator is in stage {stage}, the target in {_stage}.");
        if (_requests == 1 && stage == Operational)
            throw new LoginRefusedException(LoginStatus.AuthenticationFailure, "The initiator leaves CHAP out.");
    }

    private void Begin(Dictionary<string, string> keys)
    {
        if (!keys.TryGetValue("InitiatorName", out var initiator) || initiator.Length is 0 or > 223)
            throw new LoginRefusedException(LoginStatus.MissingParameter, "The initiator did not say its name.");
        InitiatorName = initiator;
        IsDiscovery = keys.GetValueOrDefault("SessionType", "Normal") switch
        {
            "Normal" => false,
            "Discovery" => true,
            var other => throw new LoginRefusedException(LoginStatus.SessionTypeNotSupported, $"There is no session type {other}."),
        };
        if (!IsDiscovery)
        {
            TargetName = keys.GetValueOrDefault("TargetName") ?? throw new LoginRefusedException(LoginStatus.MissingParameter, "The initiator named no target.");
            if (!directory.HasTarget(TargetName))
                throw new LoginRefusedException(LoginStatus.NotFound, "There is no such target.");
        }

        _operational = new(Parameters);
    }

    private void AnswerSecurity(Dictionary<string, string> keys, List<KeyValuePair<string, string>> answers)
    {
        if (keys.TryGetValue("AuthMethod", out var methods))
        {
            if (!methods.Split(',').Contains("CHAP"))
                throw new LoginRefusedException(LoginStatus.AuthenticationFailure, "The initiator does not offer CHAP.");
            _chap = new(name => directory.Find(TargetName, name), newChallenge);
            answers.Add(new("AuthMethod", "CHAP"));
        }

        if (_chap is not null)
            answers.AddRange(_chap.Answer(keys));
        else if (keys.Keys.Any(key => key.StartsWith("CHAP_", StringComparison.Ordinal)))
            throw new LoginRefusedException(LoginStatus.AuthenticationFailure, "The initiator begins CHAP before it was agreed on.");
    }

    private void AnswerOperational(List<KeyValuePair<string, string>> pairs, List<KeyValuePair<string, string>> answers, int stage)
    {
        foreach (var (key, value) in pairs)
        {
            if (LoginKeys.Contains(key))
                continue;
            if (_operational!.Answer(key, value) is { } answer)
                answers.Add(new(key, answer));
        }

        if (stage != Operational || _hasDeclaredSegment)
            return;
        _hasDeclaredSegment = true;
        answers.Add(new("MaxRecvDataSegmentLength", SessionParameters.ReceiveDataBytes.ToString(CultureInfo.InvariantCulture)));
    }

    private LoginAnswer Move(Pdu request, int current, int next, List<KeyValuePair<string, string>> answers)
    {
        var wantsNext = request.IsFinal;
        if (wantsNext && (next <= current || next == 2))
            throw new LoginRefusedException(LoginStatus.InitiatorError, $"There is no way from stage {current} to {next}.");
        if (!wantsNext || UserName is null)
        {
            // An initiator that wants on without having proved anything gets another chance; MostRequests ends it.
            if (wantsNext && _chap is null)
                throw new LoginRefusedException(LoginStatus.AuthenticationFailure, "The initiator leaves CHAP out.");
            return new((byte)(current << 2), answers, IsComplete: false);
        }

        _stage = next;
        if (next == FullFeature && Parameters.FirstBurstBytes > Parameters.MaxBurstBytes)
            Parameters.FirstBurstBytes = Parameters.MaxBurstBytes;
        return new((byte)(0x80 | (current << 2) | next), answers, next == FullFeature);
    }
}
