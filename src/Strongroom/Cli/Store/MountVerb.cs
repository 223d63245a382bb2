using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json.Nodes;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Blocks.Nbd.Server;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store mount</c>: a disk of a snapshot over NBD on a Unix socket, or over iSCSI, until Ctrl-C or SIGTERM. Whatever is written, the vault stays as it is.</summary>
internal static class MountVerb
{
    private const long StandardCacheBytes = 64 << 20;
    private const long GreatestCacheBytes = 1L << 40;

    public static Command Create()
    {
        var snapshot = ChoiceOptions.Snapshot();
        var item = ChoiceOptions.Item();
        var disk = ChoiceOptions.Disk();
        var socket = new Option<string?>("--socket") { Description = "The socket to make; otherwise one in a new folder of its own." };
        var overlay = new Option<string?>("--overlay") { Description = "Let clients write: what they write is kept in this file, which is made when it is missing." };
        var iscsi = new IscsiMount();
        var cache = new Option<long?>("--cache") { Description = $"Memory for what was read, such as 64M or 2G (powers of 1,024). {Sizes.Text(StandardCacheBytes)} without it.", CustomParser = ParseCache };
        var command = new VerbCommand("mount", "Serve a disk over NBD on a Unix socket, or over iSCSI: read-only, or with changes beside the vault.") { snapshot, item, disk, socket, overlay, cache };
        iscsi.AddTo(command);
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var isIscsi = iscsi.IsWanted(parsed, parsed.GetValue(socket) is not null ? "--socket" : parsed.GetValue(overlay) is not null ? "--overlay" : null);
            var vault = await context.OpenAsync(new() { ReadCache = new(parsed.GetValue(cache) ?? StandardCacheBytes) }, cancellationToken);
            var source = SnapshotChoice.Find(vault, parsed.GetRequiredValue(snapshot), parsed.GetValue(item));
            var image = SnapshotChoice.FindImage(source, parsed.GetValue(disk));
            if (isIscsi)
            {
                await using var read = new ImageBlockSource(await vault.OpenImageAsync(image.Image, cancellationToken));
                return await iscsi.RunAsync(parsed, context, source, image, read, cancellationToken);
            }

            using var place = SocketPlace.Choose(parsed.GetValue(socket));
            await using var device = await MountedDevice.OpenAsync(vault, source, image, parsed.GetValue(overlay), cancellationToken);
            var options = new NbdServerOptions { OnFailure = static failure => VerbConsole.Note($"A request failed: {failure.Message}") };
            await using (var server = NbdServer.Start(place.Path, device.Device, options))
            {
                context.Console.Write(Ready(server, source, image, device.OverlayPath));
                await UntilCancelledAsync(cancellationToken);
            }

            return await EndAsync(source, device);
        });
        return command;
    }

    private static VerbResult Ready(NbdServer server, Snapshot snapshot, SnapshotImage image, string? overlay) => new(
        new JsonObject
        {
            ["ready"] = true,
            ["uri"] = server.Uri,
            ["socket"] = server.SocketPath,
            ["snapshot"] = snapshot.Id.Value,
            ["disk"] = image.Name,
            ["lengthBytes"] = image.Image.LengthBytes,
            ["readOnly"] = overlay is null,
            ["overlay"] = overlay,
        },
        [
            $"Serving {image.Name} of snapshot {snapshot.Id}, {Sizes.Text(image.Image.LengthBytes)}, {(overlay is null ? "read-only" : $"with changes kept in {overlay}")}, at",
            $"  {server.Uri}",
            "Connect with one of",
            $"  qemu-img convert -O qcow2 '{server.Uri}' disk.qcow2",
            $"  nbdcopy '{server.Uri}' disk.raw",
            overlay is null
                ? $"  sudo nbd-client -unix {server.SocketPath} /dev/nbd0 -readonly   # then mount -o ro /dev/nbd0p1 /mnt"
                : $"  sudo nbd-client -unix {server.SocketPath} /dev/nbd0   # then mount /dev/nbd0p1 /mnt",
            "Ctrl-C ends it.",
        ]);

    /// <summary>A client that was cut off may not have flushed; an orderly end keeps what it wrote all the same.</summary>
    private static async Task<VerbResult> EndAsync(Snapshot snapshot, MountedDevice device)
    {
        var json = new JsonObject { ["ended"] = true, ["snapshot"] = snapshot.Id.Value };
        try
        {
            await device.Device.FlushAsync(CancellationToken.None);
            return new(json, ["Ended."]);
        }
        catch (IOException failure)
        {
            json["flushed"] = false;
            return new(json, [$"Ended, but what was written since the last flush may be lost: {failure.Message}"], ExitCodes.Failed);
        }
    }

    /// <summary>Returns when the command is to end.</summary>
    internal static async Task UntilCancelledAsync(CancellationToken cancellationToken)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancellationToken.Register(ended.SetResult);
        await ended.Task;
    }

    private static long? ParseCache(ArgumentResult result)
    {
        var text = result.Tokens is [var token] ? token.Value : "";
        if (LimitOptions.ParseRate(text) is { } bytes and >= ReadCache.LeastBytes and <= GreatestCacheBytes)
            return bytes;
        result.AddError($"--cache takes 256K to 1T of memory such as 64M or 2G, not '{Shown.Text(text)}'.");
        return null;
    }
}
