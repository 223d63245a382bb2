using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;

namespace Strongroom.Metadata.Tests.Support;

/// <summary>A suite of what is done with jobs.</summary>
public abstract class LedgerSuite : DatabaseSuite
{
    protected static readonly TimeSpan Long = TimeSpan.FromHours(1);

    /// <summary>A lease that is over when it begins.</summary>
    protected static readonly TimeSpan Over = TimeSpan.FromHours(-1);

    protected async Task<(ProtectedItem Item, Job Job)> AdmitAsync(string machine = "web1", int minutes = 0)
    {
        var vault = await AddVaultAsync("vault-" + machine);
        var item = await AddItemAsync(vault, machine);
        var job = Sample.Job(item, minutes: minutes);
        Assert.True(await Ledger.TryAdmitAsync(job, Token));
        return (item, job);
    }
}
