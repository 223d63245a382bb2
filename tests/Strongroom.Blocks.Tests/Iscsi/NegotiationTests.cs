using Strongroom.Blocks.Iscsi.Login;
using Strongroom.Blocks.Iscsi.Pdus;

namespace Strongroom.Blocks.Tests.Iscsi;

public sealed class NegotiationTests
{
    [Theory]
    [InlineData("HeaderDigest", "CRC32C,None", "CRC32C")]
    [InlineData("DataDigest", "None,CRC32C", "None")]
    [InlineData("DataDigest", "X", "Reject")]
    [InlineData("MaxConnections", "8", "1")]
    [InlineData("InitialR2T", "No", "No")]
    [InlineData("InitialR2T", "Yes", "Yes")]
    [InlineData("InitialR2T", "Maybe", "Reject")]
    [InlineData("ImmediateData", "Yes", "Yes")]
    [InlineData("ImmediateData", "No", "No")]
    [InlineData("MaxRecvDataSegmentLength", "0x1000", null)]
    [InlineData("MaxRecvDataSegmentLength", "511", "Reject")]
    [InlineData("MaxRecvDataSegmentLength", "16777216", "Reject")]
    [InlineData("MaxBurstLength", "16776192", "1048576")]
    [InlineData("MaxBurstLength", "512", "512")]
    [InlineData("FirstBurstLength", "262144", "65536")]
    [InlineData("FirstBurstLength", "-1", "Reject")]
    [InlineData("DefaultTime2Wait", "0", "2")]
    [InlineData("DefaultTime2Retain", "20", "0")]
    [InlineData("MaxOutstandingR2T", "16", "1")]
    [InlineData("DataPDUInOrder", "No", "Yes")]
    [InlineData("DataSequenceInOrder", "No", "Yes")]
    [InlineData("ErrorRecoveryLevel", "2", "0")]
    [InlineData("ErrorRecoveryLevel", "3", "Reject")]
    [InlineData("IFMarker", "Yes", "No")]
    [InlineData("OFMarkInt", "2048~8192", "Reject")]
    [InlineData("TaskReporting", "FastAbort,RFC3720", "RFC3720")]
    [InlineData("iSCSIProtocolLevel", "2", "1")]
    [InlineData("X-org.test", "1", "NotUnderstood")]
    public void Each_key_is_answered_by_its_rule(string key, string value, string? answer) =>
        Assert.Equal(answer, new OperationalNegotiation(new()).Answer(key, value));

    [Fact]
    public void What_is_agreed_is_remembered_and_what_is_rejected_is_not()
    {
        var parameters = new SessionParameters();
        var negotiation = new OperationalNegotiation(parameters);
        foreach (var (key, value) in (ReadOnlySpan<(string, string)>)[("HeaderDigest", "CRC32C"), ("MaxRecvDataSegmentLength", "65536"), ("MaxBurstLength", "4096"), ("FirstBurstLength", "x"), ("InitialR2T", "No"), ("ImmediateData", "No")])
            negotiation.Answer(key, value);
        Assert.Equal((true, false, 65536, 4096, 65536), (parameters.HasHeaderDigest, parameters.HasDataDigest, parameters.SendDataBytes, parameters.MaxBurstBytes, parameters.FirstBurstBytes));
        Assert.False(parameters.HasInitialR2T);
        Assert.False(parameters.HasImmediateData);
    }

    /// <summary>Computed beside this program: printf over identifier, secret and challenge into md5sum and sha256sum.</summary>
    [Theory]
    [InlineData("5", "ee9ae0b8c58b713e10efd960775266a6")]
    [InlineData("7", "d4f75c46fa2b67fb6195c29dbe1ec97f163de2ee7e0cdbf77267b2bf6700bb65")]
    public void Chap_responses_are_digests_of_identifier_secret_and_challenge(string algorithm, string expected) =>
        Assert.Equal(expected, Convert.ToHexStringLower(ChapAlgorithm.Response(algorithm, 0x2a, "secret-of-user"u8, [1, 2, 3, 4])));

    [Fact]
    public async Task Mutual_chap_proves_both_sides()
    {
        await using var lab = new IscsiLab(new byte[4096]);
        using var initiator = await RawInitiator.ConnectAsync(lab);
        await initiator.LoginAsync(0x81, "AuthMethod=None,CHAP", $"InitiatorName={RawInitiator.Name}", $"TargetName={IscsiLab.TargetName}");
        var challenge = await initiator.LoginAsync(0x00, "CHAP_A=9,7,5");
        Assert.Equal("7", challenge.Keys["CHAP_A"]);
        var answer = await initiator.LoginAsync(0x83, $"CHAP_N={IscsiLab.User}", $"CHAP_R={RawInitiator.Respond(challenge, IscsiLab.Secret)}", "CHAP_I=77", "CHAP_C=0b" + Convert.ToBase64String(new byte[16]));
        Assert.Equal(IscsiLab.SelfUser, answer.Keys["CHAP_N"]);
        var expected = ChapAlgorithm.Response("7", 77, "secret-of-self"u8, new byte[16]);
        Assert.Equal("0x" + Convert.ToHexStringLower(expected), answer.Keys["CHAP_R"]);
        Assert.Equal((0x83, 0u), (answer.Header[1], answer.Number(36) >> 16));
        Assert.NotEqual(0u, answer.Number(12) & 0xffff); // TSIH
    }

    [Theory]
    [InlineData("reflected", 0x0201u)]
    [InlineData("wrong secret", 0x0201u)]
    [InlineData("wrong name", 0x0201u)]
    [InlineData("no chap", 0x0201u)]
    [InlineData("no digest", 0x0201u)]
    [InlineData("operational first", 0x0201u)]
    [InlineData("no challenge", 0x0201u)]
    [InlineData("unknown target", 0x0203u)]
    [InlineData("no target", 0x0207u)]
    [InlineData("no initiator", 0x0207u)]
    [InlineData("session type", 0x0209u)]
    [InlineData("backwards", 0x0200u)]
    [InlineData("other name later", 0x0200u)]
    [InlineData("twice", 0x0200u)]
    public async Task A_login_that_is_not_right_is_refused(string what, uint status)
    {
        await using var lab = new IscsiLab(new byte[4096]);
        using var initiator = await RawInitiator.ConnectAsync(lab);
        var (name, target) = ($"InitiatorName={RawInitiator.Name}", $"TargetName={IscsiLab.TargetName}");
        RawPdu answer;
        switch (what)
        {
            case "wrong secret": answer = await initiator.LogInAsync(secret: "secret-of-nobody"); break;
            case "wrong name": answer = await initiator.LogInAsync(user: "nobody"); break;
            case "no digest": answer = await initiator.LogInAsync(algorithms: "6,8"); break;
            case "unknown target": answer = await initiator.LogInAsync(target: "iqn.2026-01.test:other"); break;
            case "no chap": answer = await initiator.LoginAsync(0x81, name, target, "AuthMethod=None"); break;
            case "operational first": answer = await initiator.LoginAsync(0x87, name, target); break;
            case "no target": answer = await initiator.LoginAsync(0x81, name, "AuthMethod=CHAP"); break;
            case "no initiator": answer = await initiator.LoginAsync(0x81, target, "AuthMethod=CHAP"); break;
            case "session type": answer = await initiator.LoginAsync(0x81, name, "SessionType=Odd"); break;
            case "no challenge": answer = await initiator.LoginAsync(0x81, name, target, "AuthMethod=CHAP", $"CHAP_N={IscsiLab.User}", "CHAP_R=0x00"); break;
            case "backwards": answer = await initiator.LoginAsync(0x80, name, target, "AuthMethod=CHAP"); break;
            default:
                await initiator.LoginAsync(0x00, name, target, "AuthMethod=CHAP", "MaxConnections=1");
                if (what == "reflected")
                {
                    var challenge = await initiator.LoginAsync(0x00, "CHAP_A=5");
                    answer = await initiator.LoginAsync(0x81, $"CHAP_N={IscsiLab.User}", $"CHAP_R={RawInitiator.Respond(challenge, IscsiLab.Secret)}", "CHAP_I=1", $"CHAP_C={challenge.Keys["CHAP_C"]}");
                }
                else
                {
                    answer = await initiator.LoginAsync(0x00, what == "twice" ? "MaxConnections=1" : "InitiatorName=iqn.2026-01.test:x");
                }

                break;
        }

        Assert.Equal((0x23, status), (answer.Opcode, answer.Number(36) >> 16));
        await initiator.RequireHangUpAsync();
    }

    [Fact]
    public async Task Nobody_gets_on_without_an_answer_to_the_challenge()
    {
        await using var lab = new IscsiLab(new byte[4096]);
        using var initiator = await RawInitiator.ConnectAsync(lab);
        var answer = await initiator.LoginAsync(0x83, $"InitiatorName={RawInitiator.Name}", $"TargetName={IscsiLab.TargetName}", "AuthMethod=CHAP");
        for (var round = 0; round < 40 && answer.Number(36) >> 16 == 0; round++)
        {
            Assert.Equal(0, answer.Header[1] & 0x80);
            answer = await initiator.LoginAsync(0x83);
        }

        Assert.Equal(0x0200u, answer.Number(36) >> 16);
    }

    [Fact]
    public void Negotiation_takes_a_login_request_only()
    {
        using var pdu = new Pdu([(byte)IscsiOpcode.ScsiCommand, .. new byte[47]], default, [], 0);
        var refusal = Assert.Throws<LoginRefusedException>(() => new LoginNegotiation(new NoDirectory(), () => []).Answer(pdu));
        Assert.Equal(LoginStatus.InvalidDuringLogin, refusal.Status);
    }

    private sealed class NoDirectory : ILoginDirectory
    {
        public bool HasTarget(string targetName) => false;

        public CredentialPair? Find(string? targetName, string userName) => null;
    }
}
