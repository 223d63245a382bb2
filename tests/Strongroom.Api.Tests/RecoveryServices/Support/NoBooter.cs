using Strongroom.Backup.Machines;

namespace Strongroom.Api.Tests.RecoveryServices.Support;

/// <summary>Hosts of which none can boot a machine from the vault.</summary>
internal sealed class NoBooter : IInstantBooter
{
    public Task<IInstantBoot> BeginAsync(NewMachine machine, HostRun run, CancellationToken cancellationToken) =>
        throw new MachineException(MachineProblem.NoHost, $"Resource group '{machine.ResourceGroup}' has no host that could boot '{machine.Name}'.");
}
