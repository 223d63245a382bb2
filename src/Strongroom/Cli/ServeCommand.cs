using System.CommandLine;
using System.Globalization;
using Microsoft.AspNetCore.Connections;
using Strongroom.Cli.Store;
using Strongroom.Hosting;
using Strongroom.Server;
using Strongroom.Store;
using Strongroom.Workloads.VirtualMachines.Libvirt;

namespace Strongroom.Cli;

/// <summary><c>strongroom serve</c>.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "The folder that holds everything; made when it is missing.", Required = true };
        var listen = new Option<string>("--listen") { Description = "The address to listen on and to be known by.", DefaultValueFactory = _ => "https://localhost:8443" };
        var publicUrl = new Option<string?>("--public-url") { Description = "The address that clients use, where it is not the one listened on." };
        var allow = new Option<string[]>("--allow-path") { Description = "A folder below which machines' disks and shares may lie. Repeatable.", DefaultValueFactory = _ => [] };
        var libvirt = new Option<string[]>("--allow-libvirt") { Description = "A virtual machine host that may be used, as libvirt's URI: qemu:///system, qemu+ssh://USER@HOST/system. Repeatable.", DefaultValueFactory = _ => [] };
        var scratch = new Option<string[]>("--libvirt-scratch") { Description = $"A folder on those hosts for what machines overwrite while they are backed up; otherwise {AllowedLibvirtHosts.StandardScratchRoot}. Repeatable.", DefaultValueFactory = _ => [] };
        var smb = new Option<string[]>("--allow-smb") { Description = "A file server that may be used over SMB, as its name or IPv4 address. Repeatable.", DefaultValueFactory = _ => [] };
        var names = new Option<string[]>("--tls-name") { Description = "A further name or address for the certificate. Repeatable.", DefaultValueFactory = _ => [] };
        var iscsiListen = new Option<string?>("--iscsi-listen") { Description = "Where mounted recovery points are shown over iSCSI, ADDRESS:PORT; otherwise on loopback, at port 3260 where that is free." };
        var iscsiAddress = new Option<string?>("--iscsi-address") { Description = "The address that iSCSI discovery names, HOST:PORT, where initiators reach it at another one." };
        var portal = new Option<string?>("--recovery-portal") { Description = "HOST[:PORT] at which file recovery scripts reach this server, where it is not the address that they were asked for at." };
        var locations = new Option<string[]>("--location") { Description = "A region that resources can be in. Repeatable; the first is the default.", DefaultValueFactory = _ => ["home"] };
        var vaultStorage = new Option<string?>("--vault-storage") { Description = "Where new vaults' stores go, other than the data folder: a folder, azblob://account/container/prefix or s3://bucket/prefix." };
        var storages = new Option<string[]>("--storage") { Description = "NAME=LOCATION: a further place, which vaults with the tag strongroom-storage=NAME go to. Repeatable.", DefaultValueFactory = _ => [] };
        var limits = new LimitOptions("the cloud storage of all vaults together");
        var retain = new Option<bool>("--retain-locked") { Description = "Have the storage itself (S3 Object Lock, Azure immutability policies, immutable files) retain what locked vaults keep. Cannot be taken back." };
        var collectEvery = CommandLine.NumberOption("--collect-every", "Hours between two collections of each vault; 0 for only after deletions.", 6);
        var collectGrace = CommandLine.NumberOption("--collect-grace", "Hours that packs which nobody needs are kept before a collection removes them.", 24);
        var spread = CommandLine.NumberOption("--schedule-spread", "Minutes over which scheduled backups are spread after they are due.", 10);
        var jobs = CommandLine.NumberOption("--max-jobs", "Jobs at a time.", 2);
        var retry = CommandLine.NumberOption("--retry-after", "Seconds that clients are asked to wait between two looks at an operation.", 5);
        var rate = CommandLine.NumberOption("--rate-limit", "How many requests for one action (to list jobs, say) each caller may send in an hour; more are answered 429. 0 for no limit.", 0);
        var accelerator = new Option<string>("--file-reader-accel") { Description = "How the small virtual machine that reads files of recovery points runs: tcg (everywhere) or kvm (faster; where /dev/kvm works).", DefaultValueFactory = _ => "tcg" };
        accelerator.AcceptOnlyFromAmong("tcg", "kvm");
        var cloud = new Option<string>("--cloud-name") { Description = "What az calls this server.", DefaultValueFactory = _ => "Strongroom" };
        var travel = new Option<bool>("--time-travel") { Description = "For tests: have a clock that POST /providers/Strongroom.Testing/clock moves forwards. Only for a data folder of its own." };
        var startAt = new Option<string?>("--start-at") { Description = "What that clock says at first in a new data folder, such as 2027-01-01T00:00:00Z." };
        var quiet = new Option<bool>("--quiet") { Description = "Log warnings and errors only." };
        var command = new Command("serve", "Run the server.") { data, listen, publicUrl, allow, libvirt, scratch, smb, names, iscsiListen, iscsiAddress, portal, locations, vaultStorage, storages, retain, collectEvery, collectGrace, spread, jobs, retry, rate, accelerator, cloud, travel, startAt, quiet };
        limits.AddTo(command);
        command.SetCancellableAction((parsed, cancellationToken) => RunAsync(() => new ServerOptions
        {
            DataFolder = parsed.GetRequiredValue(data),
            Listen = Address("--listen", parsed.GetRequiredValue(listen)),
            PublicUrl = parsed.GetValue(publicUrl) is { } url ? Address("--public-url", url) : null,
            AllowedPaths = parsed.GetRequiredValue(allow),
            AllowedLibvirt = parsed.GetRequiredValue(libvirt),
            LibvirtScratch = parsed.GetRequiredValue(scratch),
            AllowedSmb = parsed.GetRequiredValue(smb),
            TlsNames = parsed.GetRequiredValue(names),
            IscsiListen = parsed.GetValue(iscsiListen),
            IscsiAddress = parsed.GetValue(iscsiAddress),
            RecoveryPortal = parsed.GetValue(portal),
            Locations = parsed.GetRequiredValue(locations),
            VaultStorage = parsed.GetValue(vaultStorage) is { } standard ? NamedStorage.ParseLocation(standard) : null,
            Storages = [.. parsed.GetRequiredValue(storages).Select(NamedStorage.Parse)],
            RetainsLocked = parsed.GetValue(retain),
            StorageLimits = limits.Read(parsed),
            CollectEveryHours = parsed.GetRequiredValue(collectEvery),
            CollectGraceHours = parsed.GetRequiredValue(collectGrace),
            ScheduleSpreadMinutes = parsed.GetRequiredValue(spread),
            MaxJobs = parsed.GetRequiredValue(jobs),
            RetryAfterSeconds = parsed.GetRequiredValue(retry),
            RequestsPerHour = parsed.GetRequiredValue(rate),
            FileReaderUsesKvm = parsed.GetRequiredValue(accelerator) == "kvm",
            CloudName = parsed.GetRequiredValue(cloud),
            TravelsTime = parsed.GetValue(travel),
            StartAt = parsed.GetValue(startAt) is { } start ? Time("--start-at", start) : null,
            IsQuiet = parsed.GetValue(quiet),
        }, cancellationToken));
        return command;
    }

    private static Uri Address(string option, string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri)
        ? uri
        : throw new ArgumentException($"{option} takes an https address such as https://localhost:8443, not '{text}'.");

    private static DateTimeOffset Time(string option, string text) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
        ? time
        : throw new ArgumentException($"{option} takes a time such as 2027-01-01T00:00:00Z, not '{text}'.");

    private static async Task<int> RunAsync(Func<ServerOptions> read, CancellationToken cancellationToken)
    {
        try
        {
            var options = read();
            await using var server = await StrongroomServer.StartAsync(options, cancellationToken);
            foreach (var note in server.Notes) Console.WriteLine(note);
            Console.WriteLine("To use it with the Azure CLI, paste:");
            Console.WriteLine();
            foreach (var line in AzInstructions.Lines(server.Administrator, server.AdministratorFile, options.CloudName)) Console.WriteLine("  " + line);
            Console.WriteLine();
            Console.WriteLine($"Strongroom is ready on {server.Administrator.Endpoint.GetLeftPart(UriPartial.Authority)}");
            await server.WaitForShutdownAsync(cancellationToken);
            return 0;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return 0;
        }
        catch (System.Data.Common.DbException e)
        {
            await Console.Error.WriteLineAsync($"strongroom: The database (strongroom.db in the data folder) cannot be used: {e.Message} If it is damaged, restore it from a copy of the data folder.");
            return 1;
        }
        catch (Exception e) when (e is ArgumentException or IOException or InvalidDataException or UnauthorizedAccessException or StoreException or AddressInUseException
            or System.Security.Cryptography.CryptographicException)
        {
            await Console.Error.WriteLineAsync($"strongroom: {e.Message}");
            return 1;
        }
    }
}
