using System.Globalization;
using Strongroom.Store.Tests.Servers;

namespace Strongroom.Store.S3.Tests;

/// <summary>A real S3 server that knows conditional creation: Ceph's gateway over one monitor and one object store in memory, one for all tests.</summary>
/// <remarks>Needs no root. Debian's packages radosgw, ceph-mon and ceph-osd. About 130 MB of memory and six seconds to start.</remarks>
public sealed class RadosGateway : IAsyncLifetime
{
    public const string AccessKey = "testaccess";
    public const string SecretKey = "testsecret";
    private static readonly string[] Programs = ["radosgw", "ceph-mon", "ceph-osd", "monmaptool", "ceph", "radosgw-admin"];
    private LocalServer? server;

    /// <summary>Where it listens; ends the test when the programs are missing.</summary>
    public Uri Endpoint
    {
        get
        {
            if (field is null)
                LocalServer.Missing("Ceph is not installed: install the packages radosgw, ceph-mon and ceph-osd.");
            return field!;
        }

        private set;
    }

    public async ValueTask InitializeAsync()
    {
        if (!Array.TrueForAll(Programs, program => LocalServer.Find(program) is not null))
            return;
        server = new LocalServer();
        var monitorPort = FreePorts.Take();
        var gatewayPort = FreePorts.Take();
        var clusterId = Guid.NewGuid().ToString();
        var storeId = Guid.NewGuid().ToString();
        var configuration = Path.Combine(server.Folder, "ceph.conf");
        var map = Path.Combine(server.Folder, "monmap");
        foreach (var folder in (string[])["mon", "osd", "rgw", "run"])
            Directory.CreateDirectory(Path.Combine(server.Folder, folder));
        await File.WriteAllTextAsync(configuration, Configuration(server.Folder, clusterId, monitorPort, gatewayPort));

        var address = $"[v2:127.0.0.1:{monitorPort.ToString(CultureInfo.InvariantCulture)}]";
        await server.RunAsync("monmaptool", "--create", "--fsid", clusterId, "--addv", "a", address, map);
        await server.RunAsync("ceph-mon", "-c", configuration, "-i", "a", "--mkfs", "--monmap", map);
        server.Start("ceph-mon", "-c", configuration, "-i", "a", "-f");
        await server.WaitForAsync(monitorPort);
        await server.RunAsync("ceph", "-c", configuration, "osd", "new", storeId);
        await server.RunAsync("ceph-osd", "-c", configuration, "-i", "0", "--mkfs", "--osd-uuid", storeId);
        server.Start("ceph-osd", "-c", configuration, "-i", "0", "-f");
        server.Start("radosgw", "-c", configuration, "-n", "client.rgw", "-f");
        await server.RunAsync(
            "radosgw-admin", "-c", configuration, "-n", "client.rgw", "user", "create", "--uid=test", "--display-name=test",
            $"--access-key={AccessKey}", $"--secret-key={SecretKey}");
        await server.WaitForAsync(gatewayPort);
        Endpoint = new($"http://127.0.0.1:{gatewayPort.ToString(CultureInfo.InvariantCulture)}");
    }

    public ValueTask DisposeAsync() => server?.DisposeAsync() ?? default;

    // No manager, no authentication inside, one copy of everything, and timers short enough to start quickly.
    private static string Configuration(string folder, string clusterId, int monitorPort, int gatewayPort) => string.Create(CultureInfo.InvariantCulture, $"""
        [global]
        fsid = {clusterId}
        mon_host = v2:127.0.0.1:{monitorPort}/0
        mon_initial_members = a
        auth_cluster_required = none
        auth_service_required = none
        auth_client_required = none
        ms_mon_client_mode = crc
        ms_bind_ipv4 = true
        ms_bind_ipv6 = false
        ms_bind_msgr1 = false
        public_addr = 127.0.0.1
        cluster_addr = 127.0.0.1
        run_dir = {folder}/run
        log_file = {folder}/$name.log
        pid_file =
        keyring = {folder}/keyring
        mon_data = {folder}/mon
        mon_data_avail_crit = 1
        mon_data_avail_warn = 1
        mon_allow_pool_size_one = true
        mon_max_pg_per_osd = 2000
        mon_tick_interval = 1
        mon_client_hunt_interval = 0.3
        paxos_propose_interval = 0.05
        paxos_min_wait = 0.01
        osd_data = {folder}/osd
        osd_objectstore = memstore
        memstore_device_bytes = 4294967296
        osd_pool_default_size = 1
        osd_pool_default_min_size = 1
        osd_pool_default_pg_num = 1
        osd_pool_default_pgp_num = 1
        osd_crush_chooseleaf_type = 0
        [client.rgw]
        rgw_frontends = beast endpoint=127.0.0.1:{gatewayPort} tcp_nodelay=1
        rgw_data = {folder}/rgw
        rgw_thread_pool_size = 64
        rgw_run_sync_thread = false
        rgw_enable_quota_threads = false

        """);
}
