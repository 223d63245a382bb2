using System.CommandLine;
using Spectre.Console;
using Strongroom.Demo;
using Strongroom.Server;

namespace Strongroom.Cli;

/// <summary><c>strongroom demo</c> on the command line.</summary>
internal static class DemoVerb
{
    public static Command Create()
    {
        var standard = new DemoOptions();
        var data = new Option<string?>("--data") { Description = "Keep server and sample machines in this folder instead of a temporary one." };
        var disk = new Option<string?>("--disk") { Description = "A raw, VHD or qcow2 disk of your own, used in place of the first sample disk. It is never written to." };
        var size = CommandLine.NumberOption("--size", "Virtual size of the first sample disk in MiB.", standard.SizeMiB);
        var keep = new Option<bool>("--keep") { Description = "Keep the temporary folder." };
        var plain = new Option<bool>("--plain") { Description = "No colours and no moving bars." };
        var command = new Command("demo", "Play the whole story on this machine: protect, back up, change, back up again, restore, compare.") { data, disk, size, keep, plain };
        command.SetCancellableAction((parsed, cancellationToken) => DemoCommand.RunAsync(
            new DemoOptions
            {
                DataFolder = parsed.GetValue(data),
                DiskFile = parsed.GetValue(disk),
                SizeMiB = parsed.GetValue(size),
                KeepFolder = parsed.GetValue(keep),
                Plain = parsed.GetValue(plain),
            },
            DemoServer.StartAsync, AnsiConsole.Console, TimeProvider.System, cancellationToken));
        return command;
    }
}
