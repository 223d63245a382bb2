using Strongroom.Arm;
using Strongroom.Hosting;
using Strongroom.Metadata;

namespace Strongroom.Cli;

/// <summary>What <c>strongroom principal</c> needs of a data folder, which a running server may own.</summary>
internal sealed class PrincipalsFolder
{
    private readonly string _root;
    private readonly Administrator _administrator;

    private PrincipalsFolder(string root, Administrator administrator) => (_root, _administrator) = (root, administrator);

    public PrincipalsFile File => new(DataFolder.PrincipalsFileOf(_root));

    public Guid TenantId => _administrator.TenantId;

    /// <exception cref="ArgumentException">No server has ever run on the folder.</exception>
    public static PrincipalsFolder Open(string path)
    {
        var root = Path.GetFullPath(path);
        var administrator = Path.Combine(root, "admin.json");
        if (!System.IO.File.Exists(administrator)) throw new ArgumentException($"'{root}' is not a server's data folder yet: run 'strongroom serve --data {path}' once.");
        return new(root, Administrator.Read(administrator));
    }

    /// <summary>The role and scope that the command line asks for; null for none.</summary>
    /// <exception cref="ArgumentException">An unknown role, or a scope that is not an id in this subscription.</exception>
    public (Guid RoleId, string Scope)? Grant(string? role, string? scope)
    {
        if (role is null) return scope is null ? null : throw new ArgumentException("--scope says where a role holds: give --role too.");
        var found = BuiltInRoles.Find(role) ?? (Guid.TryParse(role, out var id) ? BuiltInRoles.Find(id) : null)
            ?? throw new ArgumentException($"There is no role '{role}'. Known: {string.Join(", ", BuiltInRoles.All.Select(r => r.RoleName))}.");
        var subscription = $"/subscriptions/{_administrator.SubscriptionId}";
        if (scope is null) return (found.Id, subscription);
        if (!ResourceId.TryParse(scope, out var parsed) || !RoleAssignment.IsWithin(parsed.ToString(), subscription))
            throw new ArgumentException($"--scope takes the id of a group or resource in {subscription}, not '{scope}'.");
        return (found.Id, parsed.ToString());
    }

    public Task AssignAsync(RoleAssignment assignment, CancellationToken cancellationToken) =>
        UseAsync(store => store.PutAsync(assignment, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<RoleAssignment>> ListAssignmentsAsync(CancellationToken cancellationToken) =>
        UseAsync(store => store.ListAsync(null, cancellationToken), cancellationToken);

    public Task UnassignAsync(Guid principalId, CancellationToken cancellationToken) =>
        UseAsync(store => store.DeleteOfAsync(principalId, cancellationToken), cancellationToken);

    private async Task<T> UseAsync<T>(Func<IRoleAssignmentStore, Task<T>> use, CancellationToken cancellationToken)
    {
        await using var services = new ServiceCollection().AddStrongroomMetadata(Path.Combine(_root, "strongroom.db")).BuildServiceProvider();
        if (!await MetadataRegistration.IsCurrentAsync(services, cancellationToken))
            throw new InvalidDataException($"The database in '{_root}' is of another version: start the server of this version on it once.");
        return await use(services.GetRequiredService<IRoleAssignmentStore>());
    }
}
