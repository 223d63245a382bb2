using Strongroom.Backup.FileShares;
using Strongroom.Backup.Machines;

namespace Strongroom.Backup.Tests.Items;

/// <summary>Ids of machines, accounts and shares are read as clients spell them.</summary>
public sealed class SourceIdTests
{
    private const string Group = "/subscriptions/S1/resourceGroups/Lab";
    private const string Account = Group + "/providers/Microsoft.Storage/storageAccounts/files1";

    [Theory]
    [InlineData(Group + "/providers/Microsoft.Compute/virtualMachines/web1")]
    [InlineData("subscriptions/S1/resourceGroups/Lab/providers/Microsoft.Compute/virtualMachines/web1")]
    [InlineData("/SUBSCRIPTIONS/S1/resourcegroups/Lab/Providers/microsoft.compute/VIRTUALMACHINES/web1")]
    [InlineData(Group + "/providers/Microsoft.Compute/virtualMachines//web1/")]
    public void Machines(string text)
    {
        Assert.True(MachineId.TryParse(text, out var id));
        Assert.Equal(new("S1", "Lab", "web1"), id);
    }

    [Theory]
    [InlineData(Account)]
    [InlineData("subscriptions/S1/resourceGroups/Lab/providers/Microsoft.Storage/storageAccounts/files1")]
    [InlineData(Group + "/providers/microsoft.storage/storageaccounts//files1")]
    public void Accounts(string text)
    {
        Assert.True(ShareAccountId.TryParse(text, out var id));
        Assert.Equal((new("S1", "Lab", "files1"), Account), (id, id.ResourceId));
    }

    [Theory]
    [InlineData(Account + "/fileServices/default/shares/docs")]
    [InlineData("subscriptions/S1/resourceGroups/Lab/providers/Microsoft.Storage/storageAccounts/files1/FILESERVICES/Default/Shares/docs")]
    public void Shares(string text)
    {
        Assert.True(ShareId.TryParse(text, out var id));
        Assert.Equal(new(new("S1", "Lab", "files1"), "docs"), id);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData(Group)]
    [InlineData(Account + "/fileServices/default")]
    [InlineData(Account + "/fileServices/other/shares/docs")]
    [InlineData(Account + "/fileServices/default/shares/a%2Fb")]
    [InlineData(Account + "/fileServices/default/shares/..")]
    [InlineData(Group + "/providers/Microsoft.Compute/virtualMachines")]
    [InlineData(Group + "/providers/Microsoft.Compute/virtualMachines/web1/extensions/a")]
    [InlineData(Group + "/providers/Microsoft.Compute/virtualMachines/a?b")]
    [InlineData("/subscriptions/S1/providers/Microsoft.Compute/virtualMachines/web1")]
    [InlineData("/providers/Microsoft.Storage/storageAccounts/files1")]
    [InlineData(Group + "/providers/Microsoft.Network/loadBalancers/a/providers/Microsoft.Compute/virtualMachines/web1")]
    [InlineData(Group + "/providers/Microsoft.Network/loadBalancers/a/providers/Microsoft.Storage/storageAccounts/files1/fileServices/default/shares/docs")]
    public void What_is_none_is_not_read(string? text) =>
        Assert.False(MachineId.TryParse(text, out _) || ShareAccountId.TryParse(text, out _) || ShareId.TryParse(text, out _));
}
