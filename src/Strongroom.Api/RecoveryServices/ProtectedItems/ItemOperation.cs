using Strongroom.Arm;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.ProtectedItems;

/// <summary>The answer to every operation on an item: 202 with the item's own tracking URLs.</summary>
internal static class ItemOperation
{
    public static LongRunning Accepted(Vault vault, string nativeName, AsyncOperation operation)
    {
        var item = BackupPaths.Item(vault, nativeName);
        return new() { AsyncOperationPath = $"{item}/operationsStatus/{operation.Id}", LocationPath = $"{item}/operationResults/{operation.Id}" };
    }
}
