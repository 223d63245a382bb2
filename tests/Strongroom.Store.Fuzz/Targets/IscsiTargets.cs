using System.Text;
using Strongroom.Blocks;
using Strongroom.Blocks.Iscsi.Login;
using Strongroom.Blocks.Iscsi.Pdus;
using Strongroom.Blocks.Iscsi.Sessions;

namespace Strongroom.Store.Fuzz.Targets;

/// <summary>What comes over an iSCSI connection, as bytes; a refusal of the target's is one of the store's here.</summary>
internal abstract class IscsiStreamTarget : FuzzTarget
{
    protected const string TargetName = "iqn.2026-01.test:x";
    protected const string Secret = "secret-of-user";

    public sealed override void Run(byte[] input)
    {
        try
        {
            var wire = new BufferedWire(new MemoryStream(input));
            Read(new(wire) { MostDataBytes = 64 * 1024 });
        }
        catch (EndOfStreamException)
        {
            // Everything was read: the initiator hung up.
        }
        catch (IOException failure) when (failure is IscsiProtocolException or LoginRefusedException)
        {
            throw new StoreException(StoreErrorKind.Corrupt, failure.Message, failure);
        }
    }

    protected abstract void Read(PduReader reader);

    protected static byte[] Pdu(byte opcode, byte flags, ReadOnlySpan<byte> data, bool hasHeader = false, bool hasData = false, Action<byte[]>? change = null)
    {
        using var pdu = new OutgoingPdu((IscsiOpcode)opcode, data);
        var header = new byte[48];
        change?.Invoke(header);
        pdu.Set(8, header.AsSpan(8)).Set(1, flags);
        return pdu.Seal(hasHeader, hasData).ToArray();
    }
}

internal sealed class IscsiPduTarget : IscsiStreamTarget
{
    public override string Name => "iscsi-pdu";

    public override IEnumerable<byte[]> Seeds =>
    [
        Harness.Concat([.. Pdu(1, 0x80, [1, 2, 3])], Pdu(0, 0x80, [])),
        [.. new byte[48]],
    ];

    protected override void Read(PduReader reader)
    {
        while (true)
        {
            using var pdu = Finish(reader.ReadAsync(CancellationToken.None));
            reader.HasHeaderDigest = pdu.InitiatorTaskTag % 4 == 1;
            reader.HasDataDigest = pdu.InitiatorTaskTag % 4 == 2;
            if (pdu.Opcode == IscsiOpcode.TextRequest)
                TextKeys.Parse(pdu.Data.Span);
        }
    }
}

/// <summary>A login whose challenge is known, so that what lies behind it is reached.</summary>
internal sealed class IscsiLoginTarget : IscsiStreamTarget
{
    private static readonly byte[] Challenge = Harness.Bytes(9, ChapExchange.ChallengeBytes);

    public override string Name => "iscsi-login";

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            foreach (var algorithm in (string[])["5", "7"])
            {
                var response = BinaryValue.Format(ChapAlgorithm.Response(algorithm, Challenge[0], Encoding.ASCII.GetBytes(Secret), Challenge.AsSpan(1)));
                yield return Harness.Concat(
                    Request(0x81, $"InitiatorName=iqn.i\0TargetName={TargetName}\0AuthMethod=CHAP,None\0"),
                    Request(0x00, $"CHAP_A={algorithm}\0"),
                    Request(0x81, $"CHAP_N=user\0CHAP_R={response}\0CHAP_I=3\0CHAP_C=0x0102\0"),
                    Request(0x87, "HeaderDigest=CRC32C,None\0DataDigest=None\0MaxBurstLength=262144\0FirstBurstLength=0x1000\0InitialR2T=No\0MaxRecvDataSegmentLength=8192\0X=y\0"));
            }

            yield return Harness.Concat(Request(0x40, "InitiatorName=iqn.i\0SessionType=Disco"), Request(0x01, "very\0AuthMethod=CHAP\0"));
        }
    }

    protected override void Read(PduReader reader)
    {
        var login = new LoginNegotiation(new Directory(), () => Challenge);
        while (true)
        {
            using var request = Finish(reader.ReadAsync(CancellationToken.None));
            var answer = login.Answer(request);
            TextKeys.Format(answer.Keys);
            if (!answer.IsComplete)
                continue;

            // Whoever is here has proved the secret, and what was agreed is sound.
            if (login.UserName != "user" || login.Parameters.FirstBurstBytes > login.Parameters.MaxBurstBytes || login.Parameters.SendDataBytes < 512)
                throw new InvalidOperationException("A login is complete that must not be.");
            return;
        }
    }

    private static byte[] Request(byte flags, string text) => Pdu(0x43, flags, Encoding.ASCII.GetBytes(text));

    private sealed class Directory : ILoginDirectory
    {
        public bool HasTarget(string targetName) => targetName == TargetName;

        public CredentialPair? Find(string? targetName, string userName) => userName == "user" ? new(new("user", Secret), new("self", "secret-of-self")) : null;
    }
}

/// <summary>A writing command and its data: bursts of 4 KiB, taken as they are asked for.</summary>
internal sealed class IscsiDataTarget : IscsiStreamTarget
{
    public override string Name => "iscsi-data";

    public override IEnumerable<byte[]> Seeds =>
    [
        Harness.Concat(
            Command(0x20, 8192, new byte[512]),
            DataOut(0x80, 0xffff_ffff, 0, 512, new byte[512]),
            DataOut(0x00, 0, 0, 1024, new byte[2048]),
            DataOut(0x80, 0, 1, 3072, new byte[2048]),
            DataOut(0x80, 1, 0, 5120, new byte[3072])),
        Command(0xa0, 512, new byte[512]),
    ];

    protected override void Read(PduReader reader)
    {
        const int burstBytes = 4096;
        var parameters = new SessionParameters { HasInitialR2T = false, FirstBurstBytes = 1024, MaxBurstBytes = burstBytes };
        using var command = Finish(reader.ReadAsync(CancellationToken.None));
        var expected = (int)Math.Min(command.Number(20), 1 << 20);
        using var incoming = new IncomingData(command, parameters, expected);
        Fill(reader, incoming);
        var buffer = new byte[expected];
        for (var at = incoming.MoveTo(buffer); at < expected;)
        {
            var burst = Math.Min(burstBytes, expected - at);
            incoming.Expect(buffer.AsMemory(at, burst), at);
            Fill(reader, incoming);
            at += burst;
        }
    }

    private static void Fill(PduReader reader, IncomingData incoming)
    {
        Task whole;
        while (!(whole = incoming.WholeAsync(CancellationToken.None)).IsCompleted)
        {
            using var data = Finish(reader.ReadAsync(CancellationToken.None));
            incoming.Take(data);
        }

        if (whole.Exception?.InnerException is { } gap)
            throw new IscsiProtocolException(gap.Message);
    }

    private static byte[] Command(byte flags, uint expectedBytes, byte[] immediate) => Pdu(0x01, flags, immediate, change: header => Put(header, 20, expectedBytes));

    private static byte[] DataOut(byte flags, uint transferTag, uint dataSn, uint offset, byte[] data) =>
        Pdu(0x05, flags, data, change: header =>
        {
            Put(header, 20, transferTag);
            Put(header, 36, dataSn);
            Put(header, 40, offset);
        });

    private static void Put(byte[] header, int offset, uint value) => System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(offset), value);
}
