using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Blocks.Iscsi;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>The part of <c>strongroom store mount</c> that serves a disk over iSCSI (<c>docs/iscsi.md</c>).</summary>
internal sealed class IscsiMount
{
    private readonly Option<IPEndPoint?> listen = new("--iscsi")
    {
        Description = "Serve over iSCSI at this address instead, such as 127.0.0.1:3260; port 0 takes a free one.",
        CustomParser = result =>
        {
            var text = result.Tokens is [var token] ? token.Value : "";
            // An address of IPv6 without brackets has no port, whatever stands behind its last colon.
            if (IPEndPoint.TryParse(text, out var address) && text.Contains(address.AddressFamily == AddressFamily.InterNetworkV6 ? "]:" : ":", StringComparison.Ordinal))
                return address;
            result.AddError($"--iscsi takes an address and a port such as 127.0.0.1:3260, not '{Shown.Text(text)}'.");
            return null;
        },
    };

    private readonly Option<string?> chapFile = new("--chap-file")
    {
        Description = "With --iscsi: a file with the name and the secret of who may log in, on one line; on a second line the target's own. Otherwise they are made up and shown.",
    };

    private readonly Option<bool> scratch = new("--scratch") { Description = "With --iscsi: let initiators write. What one writes no other sees, and it is thrown away at the end of its session." };

    public void AddTo(Command command)
    {
        command.Add(listen);
        command.Add(chapFile);
        command.Add(scratch);
    }

    /// <summary>True when the disk is to be served over iSCSI.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="ofNbd">An option that only NBD knows and that was given; null for none.</param>
    /// <exception cref="UsageException">Options of both.</exception>
    public bool IsWanted(ParseResult parsed, string? ofNbd)
    {
        if (parsed.GetValue(listen) is not null)
            return ofNbd is null ? true : throw new UsageException($"{ofNbd} is for NBD; over iSCSI leave it out (--scratch lets initiators write).");
        if (parsed.GetValue(chapFile) is not null || parsed.GetValue(scratch))
            throw new UsageException("--chap-file and --scratch go with --iscsi.");
        return false;
    }

    /// <summary>Serves until it is cancelled.</summary>
    /// <exception cref="UsageException">The file with the secrets is not as it must be.</exception>
    /// <exception cref="IOException">The address cannot be listened on.</exception>
    public async Task<VerbResult> RunAsync(ParseResult parsed, VerbContext context, Snapshot snapshot, SnapshotImage image, ImageBlockSource disk, CancellationToken cancellationToken)
    {
        var chap = ChapFile.ReadOrMake(parsed.GetValue(chapFile));
        var folder = Directory.CreateTempSubdirectory("strongroom-");
        try
        {
            var options = new IscsiServerOptions
            {
                Listen = parsed.GetValue(listen)!,
                OverlayFolder = folder.FullName,
                OnFailure = static failure => VerbConsole.Note($"A request failed: {failure.Message}"),
            };
            await using var server = IscsiServer.Start(options);
            var target = TargetOf(snapshot, image, disk, chap, isReadOnly: !parsed.GetValue(scratch));
            server.AddTarget(target);
            context.Console.Write(Ready(server.EndPoint, target, snapshot, image, chap));
            await MountVerb.UntilCancelledAsync(cancellationToken);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return new(new JsonObject { ["ended"] = true, ["snapshot"] = snapshot.Id.Value }, ["Ended."]);
    }

    private static IscsiTarget TargetOf(Snapshot snapshot, SnapshotImage image, ImageBlockSource disk, ChapFile chap, bool isReadOnly)
    {
        const int serialLength = 16;
        var lun = new IscsiLun(0, disk, $"{snapshot.Id.Value:N}"[..serialLength] + $"-{image.Lun}") { IsReadOnly = isReadOnly };
        return new($"iqn.2026-01.io.strongroom:{snapshot.Id.Value}", chap.Initiator, [lun]) { Self = chap.Target };
    }

    private static VerbResult Ready(IPEndPoint address, IscsiTarget target, Snapshot snapshot, SnapshotImage image, ChapFile chap)
    {
        var isReadOnly = target.Luns[0].IsReadOnly;
        var uri = $"iscsi://{address}/{target.Name}/0";
        var json = new JsonObject
        {
            ["ready"] = true,
            ["uri"] = uri,
            ["portal"] = address.ToString(),
            ["target"] = target.Name,
            ["userName"] = chap.Initiator.UserName,
            ["snapshot"] = snapshot.Id.Value,
            ["disk"] = image.Name,
            ["lengthBytes"] = image.Image.LengthBytes,
            ["readOnly"] = isReadOnly,
        };
        if (chap.NewSecret is { } secret)
            json["secret"] = secret;
        List<string> lines =
        [
            $"Serving {image.Name} of snapshot {snapshot.Id}, {Sizes.Text(image.Image.LengthBytes)}, {(isReadOnly ? "read-only" : "with changes that are thrown away")}, at",
            $"  {uri}",
            chap.NewSecret is null ? $"Log in as {chap.Initiator.UserName} with the secret of the file." : $"Log in as {chap.Initiator.UserName} with the secret {chap.NewSecret}",
            "Connect with (SECRET is that secret)",
            $"  qemu-img convert -O qcow2 'iscsi://{chap.Initiator.UserName}%SECRET@{address}/{target.Name}/0' disk.qcow2",
            "or, as root, with open-iscsi",
            $"  node='iscsiadm -m node -T {target.Name} -p {address}'",
            "  $node -o new && $node -o update -n node.session.auth.authmethod -v CHAP",
            $"  $node -o update -n node.session.auth.username -v {chap.Initiator.UserName} && $node -o update -n node.session.auth.password -v SECRET",
            "  $node --login",
            "What is read goes over the wire as it is: bring a tunnel where others listen.",
            "Ctrl-C ends it.",
        ];
        return new(json, lines);
    }
}
