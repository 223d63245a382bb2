namespace Strongroom.Arm;

/// <summary>Azure's own roles, as far as they mean something here, with their published ids and actions.</summary>
/// <remarks>
/// Source: "Azure built-in roles" (learn.microsoft.com/azure/role-based-access-control/built-in-roles), July 2026. Of the three roles of Azure Backup
/// the actions of Microsoft.DataProtection are left out: backup vaults of that provider do not exist here.
/// </remarks>
public static partial class BuiltInRoles
{
    public static RoleDefinition Owner { get; } = Role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner",
        "May do everything to all resources, and assign roles.", ["*"]);

    public static RoleDefinition Contributor { get; } = Role("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor",
        "May do everything to all resources, but not assign roles.", ["*"],
        [
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
            "Microsoft.Purview/consents/write",
            "Microsoft.Purview/consents/delete",
            "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
            "Microsoft.Subscription/cancel/action",
            "Microsoft.Subscription/enable/action",
        ]);

    public static RoleDefinition Reader { get; } = Role("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader",
        "May see all resources, and change none.", ["*/read"]);

    public static RoleDefinition UserAccessAdministrator { get; } = Role("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator",
        "May see all resources, and assign roles.", ["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"]);

    public static RoleDefinition BackupContributor { get; } = Role("5e467623-bb1f-42f4-a55d-6e525e11384b", "Backup Contributor",
        "May manage backup, but not delete vaults or assign roles.", BackupContributorActions);

    public static RoleDefinition BackupOperator { get; } = Role("00c29273-979b-4161-815c-10b084fb9324", "Backup Operator",
        "May back up and restore, but not remove backups, make vaults, change policies or assign roles.", BackupOperatorActions);

    public static RoleDefinition BackupReader { get; } = Role("a795c7a0-d4a2-40c1-ae25-d81f01202912", "Backup Reader",
        "May see all of backup, and change nothing.", BackupReaderActions);

    public static RoleDefinition BackupMuaAdmin { get; } = Role("c2a970b4-16a7-4a51-8c84-8a8ea6ee0bb8", "Backup MUA Admin",
        "May make and delete resource guards, for multi-user authorization.", BackupMuaAdminActions);

    public static RoleDefinition BackupMuaOperator { get; } = Role("f54b6d04-23c6-443e-b462-9c16ab7b4a52", "Backup MUA Operator",
        "May perform the operations that a resource guard protects, for multi-user authorization.",
        ["Microsoft.DataProtection/*/action", "Microsoft.DataProtection/*/read", "Microsoft.Authorization/*/read"]);

    /// <summary>All of them, by name.</summary>
    public static IReadOnlyList<RoleDefinition> All { get; } =
        [BackupContributor, BackupMuaAdmin, BackupMuaOperator, BackupOperator, BackupReader, Contributor, Owner, Reader, UserAccessAdministrator];

    /// <summary>The role with this id, or null.</summary>
    public static RoleDefinition? Find(Guid id) => All.FirstOrDefault(r => r.Id == id);

    /// <summary>The role with this name, without regard to case, or null.</summary>
    public static RoleDefinition? Find(string roleName) => All.FirstOrDefault(r => r.RoleName.Equals(roleName, StringComparison.OrdinalIgnoreCase));

    private static RoleDefinition Role(string id, string name, string description, string[] actions, string[]? notActions = null) =>
        new(Guid.Parse(id), name, description, actions, notActions ?? []);
}
