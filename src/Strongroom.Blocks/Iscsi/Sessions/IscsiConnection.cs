using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Strongroom.Blocks.Iscsi.Login;
using Strongroom.Blocks.Iscsi.Pdus;

namespace Strongroom.Blocks.Iscsi.Sessions;

/// <summary>What a connection needs of its server.</summary>
internal interface IConnectionHost : ILoginDirectory
{
    IscsiServerOptions Options { get; }

    TargetHost? HostOf(string targetName);

    /// <summary>The targets that a name opens, for discovery.</summary>
    IReadOnlyList<string> TargetsOf(string userName);

    /// <summary>A handle for a session; not 0.</summary>
    ushort NewSessionHandle();
}

/// <summary>One connection: the login, and then the session that it is.</summary>
internal sealed class IscsiConnection(Socket socket, IConnectionHost host)
{
    private readonly CommandWindow _window = new(host.Options.QueueDepth);

    public async Task RunAsync(CancellationToken stop)
    {
        socket.NoDelay = true;
        var local = (IPEndPoint)socket.LocalEndPoint!;
        await using var wire = new BufferedWire(new NetworkStream(socket, ownsSocket: true));
        using var sender = new PduSender(wire, _window);
        var reader = new PduReader(wire);
        try
        {
            IscsiSession? session;
            using (var timeout = new CancellationTokenSource(host.Options.LoginTimeout, host.Options.Time))
            using (var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stop))
                session = await LogInAsync(reader, sender, local, either.Token).ConfigureAwait(false);
            if (session is not null)
                await session.RunAsync(stop).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The initiator left, broke the protocol or was too slow; or the server stops. The connection ends here in any case.
        }
    }

    private async Task<IscsiSession?> LogInAsync(PduReader reader, PduSender sender, IPEndPoint local, CancellationToken cancellationToken)
    {
        var login = new LoginNegotiation(host, static () => RandomNumberGenerator.GetBytes(ChapExchange.ChallengeBytes));
        for (var isFirst = true; ; isFirst = false)
        {
            using var request = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (isFirst)
                _window.Begin(request.CommandSn);
            IscsiSession? session = null;
            try
            {
                if (request.Number16(14) != 0)
                    throw new LoginRefusedException(LoginStatus.SessionDoesNotExist, "The initiator wants a second connection of a session; sessions have one.");
                var answer = login.Answer(request);
                if (answer.IsComplete)
                    session = await BeginAsync(login, IsidOf(request), reader, sender, local, cancellationToken).ConfigureAwait(false);
                if (session is not null)
                    Tell(login, null);
                await sender.SendAsync(Response(request, answer, session), StatusNumber.Taken, cancellationToken).ConfigureAwait(false);
            }
            catch (LoginRefusedException refusal)
            {
                Tell(login, refusal.Message);
                await sender.SendAsync(Refusal(request, refusal.Status), StatusNumber.Taken, cancellationToken).ConfigureAwait(false);
                return null;
            }
            catch
            {
                if (session is not null)
                    await session.DisposeAsync().ConfigureAwait(false);
                throw;
            }

            if (session is not null)
                return session;
        }
    }

    private void Tell(LoginNegotiation login, string? refusal) =>
        host.Options.OnLogin(new(socket.RemoteEndPoint, login.InitiatorName, login.TargetName, refusal));

    private async Task<IscsiSession> BeginAsync(LoginNegotiation login, ulong isid, PduReader reader, PduSender sender, IPEndPoint local, CancellationToken cancellationToken)
    {
        var address = host.Options.TargetAddress ?? local.ToString();
        var texts = new TextResponder(login, address, host);
        var target = login.TargetName is null ? null : host.HostOf(login.TargetName) ?? throw new LoginRefusedException(LoginStatus.NotFound, "The target has ended.");
        if (target?.Target.InitiatorName is { } only && !only.Equals(login.InitiatorName, StringComparison.OrdinalIgnoreCase))
            throw new LoginRefusedException(LoginStatus.AuthorizationFailure, $"The target is for '{only}' alone.");
        var session = new IscsiSession(host.NewSessionHandle(), new(login.InitiatorName!, isid), login.Parameters, target, texts, _window, reader, sender, host.Options);
        try
        {
            await session.EnterAsync(cancellationToken).ConfigureAwait(false);
            return session;
        }
        catch (Exception failure) when (failure is not LoginRefusedException and not OperationCanceledException)
        {
            host.Options.OnFailure(failure);
            throw new LoginRefusedException(LoginStatus.TargetError, "The target's overlays cannot be made.");
        }
    }

    private static ulong IsidOf(Pdu request) => ((ulong)request.Number16(8) << 32) | request.Number(10);

    private static OutgoingPdu Response(Pdu request, LoginAnswer answer, IscsiSession? session)
    {
        var pdu = new OutgoingPdu(IscsiOpcode.LoginResponse, TextKeys.Format(answer.Keys));
        pdu.Set(1, answer.Flags).Set(8, request.Header[8..14]).Set(16, request.InitiatorTaskTag);
        return session is null ? pdu : pdu.Set(14, (byte)(session.Handle >> 8)).Set(15, (byte)session.Handle);
    }

    private static OutgoingPdu Refusal(Pdu request, LoginStatus status) =>
        new OutgoingPdu(IscsiOpcode.LoginResponse)
            .Set(1, (byte)(request.Flags & 0x0c)).Set(8, request.Header[8..14]).Set(16, request.InitiatorTaskTag)
            .Set(36, (byte)((int)status >> 8)).Set(37, (byte)status);
}
