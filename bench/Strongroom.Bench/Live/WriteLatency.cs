using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Libvirt.Machines;

namespace Strongroom.Bench.Live;

/// <summary>How long writes of a guest took, as QEMU counts them: from the guest's request to its completion.</summary>
/// <param name="BoundariesNanoseconds">Where a bin ends and the next begins.</param>
/// <param name="Counts">Writes in each bin; one bin more than boundaries.</param>
internal sealed record WriteLatency(IReadOnlyList<long> BoundariesNanoseconds, IReadOnlyList<long> Counts)
{
    // From 10 µs on, each 10 % more than the one before: up to 10 s.
    private static readonly long[] Boundaries = [.. Enumerable.Range(0, 146).Select(i => (long)(10_000 * Math.Pow(1.1, i)))];

    public long Writes => Counts.Sum();

    /// <summary>What a share of the writes did not exceed, to 10 %, in microseconds; null where the last bin has it, or without writes.</summary>
    /// <param name="share">0 to 1.</param>
    public double? Percentile(double share)
    {
        var wanted = Math.Ceiling(share * Writes);
        var sum = 0L;
        for (var i = 0; i < BoundariesNanoseconds.Count && wanted > 0; i++)
            if ((sum += Counts[i]) >= wanted)
                return BoundariesNanoseconds[i] / 1000.0;
        return null;
    }

    /// <summary>Lets QEMU count from now on.</summary>
    public static Task StartAsync(LiveMachine machine, MachineDisk disk, CancellationToken cancellationToken) => AskAsync(
        machine, "block-latency-histogram-set", new() { ["id"] = DeviceOf(disk), ["boundaries-write"] = new JsonArray([.. Boundaries.Select(boundary => JsonValue.Create(boundary))]) }, cancellationToken);

    /// <summary>What was counted since.</summary>
    public static async Task<WriteLatency> ReadAsync(LiveMachine machine, MachineDisk disk, CancellationToken cancellationToken)
    {
        var devices = await AskAsync(machine, "query-blockstats", null, cancellationToken);
        return Parse(devices.AsArray().Single(device => (string?)device!["qdev"] == DeviceOf(disk))!["stats"]!["wr_latency_histogram"]!);
    }

    /// <param name="histogram">QEMU's BlockLatencyHistogramInfo.</param>
    public static WriteLatency Parse(JsonNode histogram) =>
        new([.. histogram["boundaries"]!.AsArray().Select(node => (long)node!)], [.. histogram["bins"]!.AsArray().Select(node => (long)node!)]);

    // libvirt numbers virtio's disks in the order of their names: vda, vdb and so on.
    private static string DeviceOf(MachineDisk disk) =>
        string.Create(CultureInfo.InvariantCulture, $"/machine/peripheral/virtio-disk{disk.Target[^1] - 'a'}/virtio-backend");

    private static async Task<JsonNode> AskAsync(LiveMachine machine, string command, JsonObject? arguments, CancellationToken cancellationToken)
    {
        var request = new JsonObject { ["execute"] = command };
        if (arguments is not null)
            request["arguments"] = arguments;
        var answer = (await machine.Host.VirshAsync(["qemu-monitor-command", machine.Name, request.ToJsonString()], cancellationToken)).Succeeded().StandardOutput;
        return JsonNode.Parse(answer)!["return"] ?? throw new InvalidOperationException($"{command}: {answer}");
    }
}
