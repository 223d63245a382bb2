using System.Globalization;
using Strongroom.Blocks.Iscsi.Login;
using Strongroom.Blocks.Iscsi.Pdus;

namespace Strongroom.Blocks.Iscsi.Sessions;

/// <summary>Answers text requests of the full feature phase: SendTargets (RFC 7143, Appendix C), in parts where it is long.</summary>
internal sealed class TextResponder(LoginNegotiation login, string address, IConnectionHost host)
{
    private readonly TextAssembler _text = new();
    private byte[] _rest = [];
    private uint _tag;

    public bool IsDiscovery => login.IsDiscovery;

    /// <exception cref="IscsiProtocolException">The request is malformed, or goes on with what is not there.</exception>
    public OutgoingPdu Answer(Pdu request)
    {
        if (request.TargetTransferTag != Pdu.NoTag && _rest.Length > 0)
        {
            if (request.TargetTransferTag != _tag || request.Data.Length > 0)
                throw new IscsiProtocolException("A text request goes on with another text.");
        }
        else if (_text.Add(request) is not { } pairs)
        {
            return Response(request, [], isLast: false, isWhole: true);
        }
        else
        {
            _rest = TextKeys.Format(pairs.SelectMany(AnswerKey));
        }

        var part = _rest.AsSpan(0, Math.Min(_rest.Length, login.Parameters.SendDataBytes)).ToArray();
        _rest = _rest[part.Length..];
        return Response(request, part, isLast: _rest.Length == 0, isWhole: _rest.Length == 0);
    }

    private OutgoingPdu Response(Pdu request, byte[] part, bool isLast, bool isWhole)
    {
        const byte final = 0x80;
        const byte goesOn = 0x40;
        if (!isLast && ++_tag == Pdu.NoTag)
            _tag = 0;
        return new OutgoingPdu(IscsiOpcode.TextResponse, part)
            .Set(1, isLast ? final : isWhole ? (byte)0 : goesOn).Set(8, request.Lun).Set(16, request.InitiatorTaskTag).Set(20, isLast ? Pdu.NoTag : _tag);
    }

    private IEnumerable<KeyValuePair<string, string>> AnswerKey(KeyValuePair<string, string> pair)
    {
        if (pair.Key == "MaxRecvDataSegmentLength" && int.TryParse(pair.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) && bytes is >= 512 and < 1 << 24)
        {
            login.Parameters.SendDataBytes = bytes;
            return [];
        }

        return pair.Key == "SendTargets" ? Targets(pair.Value) : [new(pair.Key, "NotUnderstood")];
    }

    /// <summary>In a session with a target only that one is told of.</summary>
    private IEnumerable<KeyValuePair<string, string>> Targets(string wanted)
    {
        IEnumerable<string> names = login.IsDiscovery ? host.TargetsOf(login.UserName!) : [login.TargetName!];
        if (wanted == "All" && !login.IsDiscovery)
            return [new("SendTargets", "Reject")];
        return names
            .Where(name => wanted is "All" or "" || wanted == name)
            .SelectMany(name => (KeyValuePair<string, string>[])[new("TargetName", name), new("TargetAddress", $"{address},1")]);
    }
}
