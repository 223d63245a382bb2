using System.Net;
using Strongroom.Backup.FileRecovery;
using Strongroom.Store;
using Strongroom.Store.Locations;
using Strongroom.TimeTravel;
using Strongroom.Workloads.FileShares.Smb;
using Strongroom.Workloads.VirtualMachines.Libvirt;

namespace Strongroom.Server;

/// <summary>What the operator asked of <c>strongroom serve</c>.</summary>
internal sealed record ServerOptions
{
    /// <summary>The one folder that holds everything; made when it is missing.</summary>
    public required string DataFolder { get; init; }

    /// <summary>The address to listen on; https. Also the one to be known by, unless <see cref="PublicUrl"/> says another.</summary>
    public required Uri Listen { get; init; }

    /// <summary>The address that clients use, where it is not <see cref="Listen"/> (a wildcard, a name behind a proxy); null: it is.</summary>
    public Uri? PublicUrl { get; init; }

    /// <summary>The address to be known by.</summary>
    public Uri Endpoint => PublicUrl ?? Listen;

    /// <summary>Folders below which hosts may be; none: no host of kind Folder is accepted.</summary>
    public IReadOnlyList<string> AllowedPaths { get; init; } = [];

    /// <summary>libvirt's URIs of hosts that may be used; none: no host of kind Libvirt is accepted.</summary>
    public IReadOnlyList<string> AllowedLibvirt { get; init; } = [];

    /// <summary>Folders on those hosts, and below them, that may take scratch space; none: the standard one.</summary>
    public IReadOnlyList<string> LibvirtScratch { get; init; } = [];

    /// <summary>File servers that may be used over SMB; none: no file server of kind Smb is accepted.</summary>
    public IReadOnlyList<string> AllowedSmb { get; init; } = [];

    /// <summary>Where vaults go that name no storage; null: into the data folder.</summary>
    public VaultLocation? VaultStorage { get; init; }

    /// <summary>Storages that a vault's tag may name.</summary>
    public IReadOnlyList<NamedStorage> Storages { get; init; } = [];

    /// <summary>What cloud services may be asked for each second, all vaults together.</summary>
    public BackendLimits StorageLimits { get; init; } = BackendLimits.None;

    /// <summary>Have the storage itself retain what locked vaults keep (S3 Object Lock, immutability policies, immutable files).</summary>
    public bool RetainsLocked { get; init; }

    /// <summary>Hours between two collections of each vault; 0: only after deletions.</summary>
    public int CollectEveryHours { get; init; } = 6;

    /// <summary>Hours that packs stay condemned before a collection removes them.</summary>
    public int CollectGraceHours { get; init; } = 24;

    /// <summary>Names and addresses in the server's certificate, besides localhost, the machine's name and <see cref="Listen"/>'s.</summary>
    public IReadOnlyList<string> TlsNames { get; init; } = [];

    /// <summary>Where recovery points are shown over iSCSI, <c>address:port</c>; null: on loopback.</summary>
    public string? IscsiListen { get; init; }

    /// <summary>The address that iSCSI discovery names, <c>host:port</c>; null: the one that the initiator connected to.</summary>
    public string? IscsiAddress { get; init; }

    /// <summary>Where recovery scripts connect to, <c>host</c> or <c>host:port</c>; null: to the address that the script was asked for at.</summary>
    public string? RecoveryPortal { get; init; }

    /// <summary>The regions that this installation has; the first is the default.</summary>
    public IReadOnlyList<string> Locations { get; init; } = ["home"];

    /// <summary>Jobs at a time.</summary>
    public int MaxJobs { get; init; } = 2;

    /// <summary>Scheduled backups begin up to so many minutes later than they are due, so that not all begin at once.</summary>
    public int ScheduleSpreadMinutes { get; init; } = 10;

    /// <summary>What clients are asked to wait between two looks at a running operation, in seconds.</summary>
    public int RetryAfterSeconds { get; init; } = 5;

    /// <summary>Read file systems of recovery points in a virtual machine that KVM runs; otherwise its processor is emulated.</summary>
    public bool FileReaderUsesKvm { get; init; }

    /// <summary>How many requests for one action each caller has in an hour; 0: as many as they like.</summary>
    public int RequestsPerHour { get; init; }

    /// <summary>What the cloud is called in its metadata, and in the lines to paste for az.</summary>
    public string CloudName { get; init; } = "Strongroom";

    /// <summary>Write warnings and errors only.</summary>
    public bool IsQuiet { get; init; }

    /// <summary>Have a clock that testers move. Only for data folders that were made so.</summary>
    public bool TravelsTime { get; init; }

    /// <summary>What the movable clock of a new data folder says at first; null: what the machine's says.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>Checks the values before anything is made.</summary>
    /// <exception cref="ArgumentException">Names what is wrong and what would be right.</exception>
    public void Validate()
    {
        if (string.IsNullOrWhiteSpace(DataFolder)) throw new ArgumentException("--data takes a folder.");
        if (!Listen.IsAbsoluteUri || Listen.Scheme != Uri.UriSchemeHttps || Listen.AbsolutePath != "/")
            throw new ArgumentException($"--listen takes an https address without a path, such as https://localhost:8443, not '{Listen}'.");
        if (PublicUrl is not null && (!PublicUrl.IsAbsoluteUri || PublicUrl.Scheme != Uri.UriSchemeHttps || PublicUrl.AbsolutePath != "/"))
            throw new ArgumentException($"--public-url takes an https address without a path, such as https://backup.example:8443, not '{PublicUrl}'.");
        if (PublicUrl is null && Listen.DnsSafeHost is "0.0.0.0" or "::" or "[::]")
            throw new ArgumentException("--listen on all addresses needs --public-url as well: the address that clients use.");
        if (MaxJobs is < 1 or > 64) throw new ArgumentException($"--max-jobs takes a number from 1 to 64, not {MaxJobs}.");
        if (ScheduleSpreadMinutes is < 0 or > 120) throw new ArgumentException($"--schedule-spread takes minutes from 0 to 120, not {ScheduleSpreadMinutes}.");
        if (RetryAfterSeconds is < 0 or > 600) throw new ArgumentException($"--retry-after takes seconds from 0 to 600, not {RetryAfterSeconds}.");
        if (RequestsPerHour < 0) throw new ArgumentException($"--rate-limit takes a number of requests, or 0 for no limit, not {RequestsPerHour}.");
        if (CollectEveryHours is < 0 or > 720) throw new ArgumentException($"--collect-every takes hours from 0 to 720, not {CollectEveryHours}.");
        if (CollectGraceHours is < 0 or > 720) throw new ArgumentException($"--collect-grace takes hours from 0 to 720, not {CollectGraceHours}.");
        if (StartAt is not null && !TravelsTime) throw new ArgumentException("--start-at goes with --time-travel: another clock cannot be set.");
        if (StartAt < ClockFile.Earliest || StartAt > ClockFile.Latest)
            throw new ArgumentException($"--start-at takes a time from {ClockFile.Earliest:yyyy-MM-dd} to {ClockFile.Latest:yyyy-MM-dd}, not {StartAt:yyyy-MM-dd}.");
        if (TravelsTime && RetainsLocked) throw new ArgumentException("--retain-locked does not go with --time-travel: a storage would keep for years, by its own clock, what a test locked.");
        if (Storages.GroupBy(s => s.Name).FirstOrDefault(g => g.Count() > 1) is { } twice) throw new ArgumentException($"--storage names '{twice.Key}' twice.");
        IscsiEndPoint();
        if (IscsiAddress is not null && !(PortalAddress.TryParse(IscsiAddress, out var named) && named.Port is not null))
            throw new ArgumentException($"--iscsi-address takes a host and a port, such as backup.example:3260, not '{IscsiAddress}'.");
        Portal();
        foreach (var location in Locations)
        {
            if (location.Length is 0 or > 60 || !location.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c)))
                throw new ArgumentException($"--location takes a name of small letters and digits, such as home or westeurope, not '{location}'.");
        }

        LibvirtHosts();
        SmbServers();
        foreach (var path in AllowedPaths)
        {
            if (!Directory.Exists(path)) throw new ArgumentException($"--allow-path takes an existing folder, not '{path}'.");
        }
    }

    /// <summary>Where to bind: every interface for a wildcard, loopback for localhost, else the addresses of the name.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints()
    {
        // The address is in the administrator's file and the certificate before the server listens, so it must be known.
        if (Listen.Port == 0) throw new ArgumentException("--listen takes a port from 1 to 65535: clients must know it beforehand.");
        var host = Listen.DnsSafeHost;
        if (host is "localhost") return [new(IPAddress.Loopback, Listen.Port), .. System.Net.Sockets.Socket.OSSupportsIPv6 && HasLoopback6() ? [new IPEndPoint(IPAddress.IPv6Loopback, Listen.Port)] : Array.Empty<IPEndPoint>()];
        if (IPAddress.TryParse(host, out var address)) return [new(address, Listen.Port)];
        try
        {
            return [.. Dns.GetHostAddresses(host).Distinct().Select(a => new IPEndPoint(a, Listen.Port))];
        }
        catch (System.Net.Sockets.SocketException e)
        {
            throw new ArgumentException($"--listen: the name '{host}' has no address: {e.Message}", e);
        }
    }

    /// <summary>Where iSCSI is to be listened for; null: nothing was asked for.</summary>
    /// <exception cref="ArgumentException">It is not an address and a port.</exception>
    public IPEndPoint? IscsiEndPoint()
    {
        if (IscsiListen is null) return null;
        return PortalAddress.TryParse(IscsiListen, out var listen) && listen.Port is { } port && IPAddress.TryParse(listen.Host == "localhost" ? "127.0.0.1" : listen.Host, out var address)
            ? new(address, port)
            : throw new ArgumentException($"--iscsi-listen takes an IP address and a port, such as 127.0.0.1:3260 or [::]:3260, not '{IscsiListen}'.");
    }

    /// <summary>Where recovery scripts connect to; null: nothing was asked for.</summary>
    /// <exception cref="ArgumentException">It is no host.</exception>
    public PortalAddress? Portal() => RecoveryPortal is null ? null : PortalAddress.TryParse(RecoveryPortal, out var portal)
        ? portal
        : throw new ArgumentException($"--recovery-portal takes a host, and a port where it is another than the server's, such as backup.example:443, not '{RecoveryPortal}'.");

    /// <summary>What may be reached through libvirt.</summary>
    /// <exception cref="ArgumentException">A URI or a folder is not well-formed.</exception>
    public AllowedLibvirtHosts LibvirtHosts() => new(AllowedLibvirt, LibvirtScratch);

    /// <summary>What may be reached over SMB.</summary>
    /// <exception cref="ArgumentException">A name is none of a host.</exception>
    public AllowedSmbServers SmbServers() => new(AllowedSmb);

    private static bool HasLoopback6() => System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces()
        .SelectMany(i => i.GetIPProperties().UnicastAddresses).Any(a => a.Address.Equals(IPAddress.IPv6Loopback));
}
