using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Blocks.Nbd.Server;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store mount</c>: a disk of a snapshot over NBD on a Unix socket, until Ctrl-C or SIGTERM.</summary>
internal static class MountVerb
{
    public static Command Create()
    {
        var snapshot = ChoiceOptions.Snapshot();
        var item = ChoiceOptions.Item();
        var disk = ChoiceOptions.Disk();
        var socket = new Option<string?>("--socket") { Description = "The socket to make; otherwise one in a new folder of its own." };
        var command = new VerbCommand("mount", "Serve a disk, read-only, over NBD on a Unix socket.") { snapshot, item, disk, socket };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);
            var source = SnapshotChoice.Find(vault, parsed.GetRequiredValue(snapshot), parsed.GetValue(item));
            var image = SnapshotChoice.FindImage(source, parsed.GetValue(disk));
            using var place = SocketPlace.Choose(parsed.GetValue(socket));
            await using var device = new ReadOnlyDevice(new ImageBlockSource(await vault.OpenImageAsync(image.Image, cancellationToken)));
            var options = new NbdServerOptions { OnFailure = static failure => VerbConsole.Note($"A request failed: {failure.Message}") };
            await using var server = NbdServer.Start(place.Path, device, options);
            context.Console.Write(Ready(server, source, image));
            await UntilCancelledAsync(cancellationToken);
            return new(new() { ["ended"] = true, ["snapshot"] = source.Id.Value }, ["Ended."]);
        });
        return command;
    }

    private static VerbResult Ready(NbdServer server, Snapshot snapshot, SnapshotImage image) => new(
        new JsonObject
        {
            ["ready"] = true,
            ["uri"] = server.Uri,
            ["socket"] = server.SocketPath,
            ["snapshot"] = snapshot.Id.Value,
            ["disk"] = image.Name,
            ["lengthBytes"] = image.Image.LengthBytes,
            ["readOnly"] = true,
        },
        [
            $"Serving {image.Name} of snapshot {snapshot.Id}, {Sizes.Text(image.Image.LengthBytes)}, read-only, at",
            $"  {server.Uri}",
            "Connect with one of",
            $"  qemu-img convert -O qcow2 '{server.Uri}' disk.qcow2",
            $"  nbdcopy '{server.Uri}' disk.raw",
            $"  sudo nbd-client -unix {server.SocketPath} /dev/nbd0 -readonly   # then mount -o ro /dev/nbd0p1 /mnt",
            "Ctrl-C ends it.",
        ]);

    private static async Task UntilCancelledAsync(CancellationToken cancellationToken)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancellationToken.Register(ended.SetResult);
        await ended.Task;
    }
}

/// <summary>Where the socket lies; a folder that was made for it goes with it.</summary>
internal sealed class SocketPlace : IDisposable
{
    private readonly DirectoryInfo? folder;

    private SocketPlace(string path, DirectoryInfo? folder)
    {
        Path = path;
        this.folder = folder;
    }

    public string Path { get; }

    public static SocketPlace Choose(string? path)
    {
        if (path is not null)
            return new(path, null);

        // Of mode 0700, so that nobody else can put something in the socket's place.
        var folder = Directory.CreateTempSubdirectory("strongroom-");
        return new(System.IO.Path.Combine(folder.FullName, "nbd.sock"), folder);
    }

    public void Dispose() => folder?.Delete(recursive: true);
}
