using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.RecoveryServices.Backups;
using Strongroom.Api.RecoveryServices.BackupStatus;
using Strongroom.Api.RecoveryServices.DeletedVaults;
using Strongroom.Api.RecoveryServices.Engines;
using Strongroom.Api.RecoveryServices.ItemLevelRecovery;
using Strongroom.Api.RecoveryServices.Jobs;
using Strongroom.Api.RecoveryServices.Locations;
using Strongroom.Api.RecoveryServices.Operations;
using Strongroom.Api.RecoveryServices.Policies;
using Strongroom.Api.RecoveryServices.PrivateLinks;
using Strongroom.Api.RecoveryServices.ProtectableItems;
using Strongroom.Api.RecoveryServices.ProtectedItems;
using Strongroom.Api.RecoveryServices.ProtectionContainers;
using Strongroom.Api.RecoveryServices.ProtectionIntents;
using Strongroom.Api.RecoveryServices.RecoveryPoints;
using Strongroom.Api.RecoveryServices.RegisteredIdentities;
using Strongroom.Api.RecoveryServices.ResourceGuardProxies;
using Strongroom.Api.RecoveryServices.Restores;
using Strongroom.Api.RecoveryServices.RestoreVerification;
using Strongroom.Api.RecoveryServices.SecurityPins;
using Strongroom.Api.RecoveryServices.SiteRecovery;
using Strongroom.Api.RecoveryServices.Tiering;
using Strongroom.Api.RecoveryServices.Usages;
using Strongroom.Api.RecoveryServices.Validation;
using Strongroom.Api.RecoveryServices.VaultConfigs;
using Strongroom.Api.RecoveryServices.Vaults;
using Strongroom.Arm;
using Strongroom.Backup.Items;

namespace Strongroom.Api.RecoveryServices;

/// <summary>The resource provider <c>Microsoft.RecoveryServices</c>.</summary>
public static class RecoveryServicesModule
{
    public static IServiceCollection AddRecoveryServices(this IServiceCollection services) => services
        .AddSingleton<IResourceProvider, RecoveryServicesProvider>()
        .AddSingleton<VaultOperations>()
        .AddSingleton<ProtectionIntentions>()
        .AddSingleton<ProtectionPrecheck>();

    public static void MapRecoveryServices(this IEndpointRouteBuilder routes)
    {
        routes.MapVaults();
        routes.MapVaultExtendedInfo();
        routes.MapRegisteredIdentities();
        routes.MapPrivateLinkResources();
        routes.MapUsages();
        routes.MapLocations();
        routes.MapDeletedVaults();
        routes.MapReplicationVaultSettings();
        routes.MapVaultConfigs();
        routes.MapResourceGuardProxies();
        routes.MapEncryptionConfigs();
        routes.MapDataMoves();
        routes.MapPolicies();
        routes.MapRestoreVerification();
        routes.MapContainers();
        routes.MapProtectableItems();
        routes.MapProtectedItems();
        routes.MapBackups();
        routes.MapRecoveryPoints();
        routes.MapRestores();
        routes.MapItemLevelRecovery();
        routes.MapJobs();
        routes.MapJobExports();
        routes.MapOperations();
        routes.MapBackupStatus();
        routes.MapFeatureSupport();
        routes.MapProtectionIntents();
        routes.MapOperationValidation();
        routes.MapBackupEngines();
        routes.MapWorkloadContainers();
        routes.MapPrivateEndpointConnections();
        routes.MapSecurityPins();
        routes.MapTiering();
        routes.MapSourceScans();
    }
}
