using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Verification;
using Strongroom.Blocks;
using Strongroom.Blocks.Overlay;
using Strongroom.Workloads.VirtualMachines.Libvirt.InstantBoot;
using Strongroom.Workloads.VirtualMachines.Libvirt.Live;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Verification;

/// <summary>Boots recovery points on hosts of kind <c>Libvirt</c> to prove that they can be.</summary>
/// <remarks>
/// The domain is transient and ends with the connection that started it, so that it does not outlive the server. It has no network, and its disks are served from
/// the vault over Unix sockets; what it writes goes into files of the server that are thrown away.
/// </remarks>
/// <param name="folder">Folder of this server, for what machines write.</param>
public sealed class LibvirtVerifier(ILibvirtHosts hosts, LibvirtFabric fabric, string folder, TimeProvider time, ILogger<LibvirtVerifier> log) : IMachineVerifier
{
    /// <summary>Room that is left on the server's disk.</summary>
    private const long ReserveBytes = 256L << 20;

    /// <summary>How long the end of a machine is waited for.</summary>
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    public string Kind => LibvirtFabric.Kind;

    public async Task<MachineVerification> VerifyAsync(VirtualMachine machine, IReadOnlyList<VerifiedDisk> disks, VerificationTerms terms, HostRun run, CancellationToken cancellationToken)
    {
        if (machine.Definition is null) throw new MachineException(MachineProblem.BadDescription, $"The recovery point holds no description of '{machine.Name}' that it could be booted by.");
        if (terms.ConsolePattern is null && !HasAgentChannel(machine.Definition))
            throw new MachineException(MachineProblem.BadDescription, $"'{machine.Name}' has no channel for QEMU's guest agent, so it can prove itself by its serial console only: give the policy's verification a consolePattern.");
        var host = await HostAsync(machine, terms, cancellationToken);
        var setting = new HostSetting(host, fabric.Connections, folder, time);
        var attempt = new BootAttempt(host, run.JobId);
        Directory.CreateDirectory(folder);
        // Of an earlier run of the job: what it wrote is nothing to this one.
        for (var index = 0; index < disks.Count; index++) File.Delete(OverlayFile(attempt, index));
        // A connection of its own: the domain ends with it.
        await using var calls = await HostCalls<LibvirtConnection>.OpenAsync(() => Open(host), cancellationToken);
        await RemoveLeftoversAsync(calls, attempt, cancellationToken);
        var overlays = new List<OverlayDevice>();
        await using var served = new ServedDisks();
        try
        {
            foreach (var disk in disks)
            {
                var overlay = await OverlayDevice.OpenAsync(OverlayFile(attempt, overlays.Count), new Kept(disk.Content), $"{run.JobId} {disk.Disk.Name}", reserve: new DiskReserve(folder, ReserveBytes));
                overlays.Add(overlay);
                served.Add(setting, run.JobId, disk.Disk, overlay, log);
            }

            var sockets = disks.Select((disk, index) => (disk.Disk, ServedDisks.PathOf(host, run.JobId, index))).ToList();
            return await BootAsync(calls, machine, attempt, sockets, terms, cancellationToken);
        }
        finally
        {
            await EndAsync(calls, attempt);
            await served.DisposeAsync();
            foreach (var overlay in overlays) await overlay.DisposeAsync();
            for (var index = 0; index < disks.Count; index++) File.Delete(OverlayFile(attempt, index));
        }
    }

    private static bool HasAgentChannel(string definition)
    {
        try
        {
            return DomainDescription.Parse(definition).HasAgentChannel;
        }
        catch (InvalidDataException exception)
        {
            throw new MachineException(MachineProblem.BadDescription, $"What the recovery point holds of the machine cannot be understood: {exception.Message}", exception);
        }
    }

    private async Task<LibvirtHost> HostAsync(VirtualMachine machine, VerificationTerms terms, CancellationToken cancellationToken)
    {
        var id = terms.HostId ?? machine.HostId;
        var host = (await hosts.ListAsync(machine.SubscriptionId, cancellationToken)).FirstOrDefault(host => host.Id.Equals(id, StringComparison.OrdinalIgnoreCase))
            ?? throw new MachineException(MachineProblem.NoHost, $"There is no host '{id}' of kind {Kind} that the server may use.");
        return host.IsLocal ? host : throw new MachineException(MachineProblem.NoHost, $"Host '{host.Name}' is another machine than the server; recovery points are booted on the server's own machine only. Name a host that is (hostId).");
    }

    private LibvirtConnection Open(LibvirtHost host)
    {
        try
        {
            return OwnSocket.Require(host, LibvirtConnection.Open(host.Uri, fabric.Connections.LoginOf(host)));
        }
        catch (LibvirtException exception)
        {
            throw LibvirtConnections.Explain(host, exception);
        }
    }

    private async Task<MachineVerification> BootAsync(
        HostCalls<LibvirtConnection> calls, VirtualMachine machine, BootAttempt attempt, IReadOnlyList<(MachineDisk, string)> sockets, VerificationTerms terms, CancellationToken cancellationToken)
    {
        using var domain = await calls.RunAsync(connection => Start(connection, machine, attempt, sockets), cancellationToken);
        var started = Stopwatch.GetTimestamp();
        var console = terms.ConsolePattern is { } pattern ? new ConsoleLog(attempt.ConsoleFile, RestoreVerification.Pattern(pattern)) : null;
        var agent = new GuestAgent(domain);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var look = await calls.RunAsync(_ => Look(domain, agent, console), cancellationToken);
            var took = Stopwatch.GetElapsedTime(started);
            if (look.By is not null) return new(look.By, took, look.Message, await calls.RunAsync(connection => Picture(domain, connection), cancellationToken));
            if (look.IsOver) return new(null, took, look.Message, default);
            if (took > terms.Timeout) return new(null, took, $"The machine has not proven itself within {terms.Timeout.TotalSeconds:0} seconds.", await calls.RunAsync(connection => Picture(domain, connection), cancellationToken));
            await Task.Delay(Interval, CancellationToken.None);
        }
    }

    private LibvirtDomain Start(LibvirtConnection connection, VirtualMachine machine, BootAttempt attempt, IReadOnlyList<(MachineDisk, string)> sockets)
    {
        try
        {
            var isOwnHost = attempt.Host.Id.Equals(machine.HostId, StringComparison.OrdinalIgnoreCase);
            var domain = IsolatedDomain.Make(machine, attempt.Name, Guid.NewGuid(), sockets, attempt.ConsoleFile, attempt.VariablesFile, isOwnHost);
            return connection.StartTransientDomain(domain.ToString(), endsWithConnection: true);
        }
        catch (InvalidDataException exception)
        {
            throw new MachineException(MachineProblem.BadDescription, $"What the recovery point holds of the machine cannot be understood: {exception.Message}", exception);
        }
        catch (LibvirtException exception)
        {
            throw new MachineException(MachineProblem.HostFailed, $"Host '{attempt.Host.Name}' cannot start the machine: {exception.Message}", exception);
        }
    }

    private static Sight Look(LibvirtDomain domain, GuestAgent agent, ConsoleLog? console)
    {
        try
        {
            if (!domain.IsActive) return Sight.Ended;
            if (agent.FindSilence() is null) return new(VerificationProofs.GuestAgent, "The guest agent answered.", false);
            // Not what it said: whoever may read recovery points need not be one who may read what is in them.
            return console?.Find() is not null ? new(VerificationProofs.Console, "The console said what was asked for.", false) : Sight.Nothing;
        }
        catch (LibvirtException exception) when (exception.Code == LibvirtException.NoDomain)
        {
            return Sight.Ended;
        }
    }

    private ReadOnlyMemory<byte> Picture(LibvirtDomain domain, LibvirtConnection connection)
    {
        try
        {
            return domain.Screenshot(connection).Picture;
        }
        catch (LibvirtException exception)
        {
            log.LogInformation("There is no picture of the machine's screen: {Reason}", exception.Message);
            return default;
        }
    }

    /// <summary>Ends the machine. A host that stands still keeps nobody, nor does one whose libvirt has died: the machine does not go with the connection then, and is ended when the host answers.</summary>
    private async Task EndAsync(HostCalls<LibvirtConnection> calls, BootAttempt attempt)
    {
        using var limit = new CancellationTokenSource(EndLimit);
        var isEnded = false;
        try
        {
            if (!calls.Hangs) isEnded = await TryEndAsync(calls, attempt, limit.Token);
        }
        catch (OperationCanceledException)
        {
        }

        if (!isEnded)
        {
            log.LogWarning("The machine '{Name}' is not ended yet: its host does not answer", attempt.Name);
            await fabric.Owed.DoAsync(attempt.JobId, () => fabric.Connections.UseAsync(attempt.Host, connection => Destroy(connection, attempt), CancellationToken.None), tries: 1);
        }

        RemoveFiles(attempt);
    }

    /// <summary>Ends a domain of an earlier run of the job, and removes its files.</summary>
    private async Task RemoveLeftoversAsync(HostCalls<LibvirtConnection> calls, BootAttempt attempt, CancellationToken cancellationToken)
    {
        await fabric.Owed.StopAsync(attempt.JobId);
        await TryEndAsync(calls, attempt, cancellationToken);
        RemoveFiles(attempt);
    }

    /// <returns>False: the host does not answer.</returns>
    private Task<bool> TryEndAsync(HostCalls<LibvirtConnection> calls, BootAttempt attempt, CancellationToken cancellationToken) => calls.RunAsync(connection =>
    {
        try
        {
            Destroy(connection, attempt);
            return true;
        }
        catch (LibvirtException exception)
        {
            log.LogInformation("The machine '{Name}' could not be ended: {Reason}", attempt.Name, exception.Message);
            return !exception.IsOfConnection;
        }
    }, cancellationToken);

    private static void Destroy(LibvirtConnection connection, BootAttempt attempt)
    {
        using var domain = connection.FindDomain(attempt.Name);
        if (domain is { IsActive: true }) domain.Destroy(gracefully: false);
    }

    private static void RemoveFiles(BootAttempt attempt)
    {
        File.Delete(attempt.ConsoleFile);
        File.Delete(attempt.VariablesFile);
    }

    private string OverlayFile(BootAttempt attempt, int disk) => Path.Combine(folder, $"{attempt.Name}.{disk.ToString(System.Globalization.CultureInfo.InvariantCulture)}");

    private sealed record BootAttempt(LibvirtHost Host, Guid JobId)
    {
        public string Name { get; } = LibvirtMachines.VerificationPrefix + JobId.ToString("N");

        public string ConsoleFile => Path.Combine(Host.ScratchPath, $"{Name}.console");

        public string VariablesFile => Path.Combine(Host.ScratchPath, $"{Name}.vars");
    }

    /// <summary>What a look at the machine showed.</summary>
    private sealed record Sight(string? By, string Message, bool IsOver)
    {
        public static Sight Nothing { get; } = new(null, "", false);

        public static Sight Ended { get; } = new(null, "The machine switched itself off, or crashed, before it had proven itself.", true);
    }

    /// <summary>A disk that stays its owner's.</summary>
    private sealed class Kept(IBlockSource disk) : IBlockSource
    {
        public long LengthBytes => disk.LengthBytes;

        public IAsyncEnumerable<BlockExtent> MapAsync(CancellationToken cancellationToken) => disk.MapAsync(cancellationToken);

        public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) => disk.ReadAsync(offsetBytes, buffer, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
