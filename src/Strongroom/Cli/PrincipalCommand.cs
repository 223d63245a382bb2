using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Identity.Principals;

namespace Strongroom.Cli;

/// <summary><c>strongroom principal</c>: who may sign in besides the administrator. Works on a data folder, whether its server runs or not.</summary>
internal static class PrincipalCommand
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create() => new("principal", "Who may sign in besides the administrator, and with which role.") { Add(), List(), Reset(), Remove() };

    private static Command Add()
    {
        var (data, name) = (DataOption(), NameArgument());
        var role = new Option<string?>("--role") { Description = "A built-in role to give, such as \"Backup Operator\"." };
        var scope = new Option<string?>("--scope") { Description = "Over what: the id of a group or a resource; without it the subscription." };
        var command = new Command("add", "Add a principal and print its secret, which is shown this once.") { name, data, role, scope };
        command.SetCancellableAction((parsed, cancellationToken) => RunAsync(async () =>
        {
            var folder = PrincipalsFolder.Open(parsed.GetRequiredValue(data));
            var wanted = folder.Grant(parsed.GetValue(role), parsed.GetValue(scope));
            var secret = ClientSecrets.New();
            var principal = new ServicePrincipal(Guid.NewGuid(), Guid.NewGuid(), parsed.GetRequiredValue(name), [SecretHash.Create(secret)]);
            folder.File.Change(all => all.Any(p => Same(p.DisplayName, principal.DisplayName))
                ? throw new ArgumentException($"There is a principal '{principal.DisplayName}' already. 'strongroom principal reset' gives it a new secret.")
                : all.Append(principal));
            if (wanted is var (roleId, over))
                await folder.AssignAsync(new RoleAssignment(Guid.NewGuid(), over, roleId, principal.ObjectId, "ServicePrincipal", TimeProvider.System.GetUtcNow(), null), cancellationToken);
            WriteCredentials(principal, secret, folder);
        }));
        return command;
    }

    private static Command List()
    {
        var data = DataOption();
        var command = new Command("list", "List the principals and their roles as JSON.") { data };
        command.SetCancellableAction((parsed, cancellationToken) => RunAsync(async () =>
        {
            var folder = PrincipalsFolder.Open(parsed.GetRequiredValue(data));
            var assignments = await folder.ListAssignmentsAsync(cancellationToken);
            Write(new JsonArray([.. folder.File.Read().Select(principal => new JsonObject
            {
                ["displayName"] = principal.DisplayName,
                ["appId"] = principal.ClientId.ToString(),
                ["objectId"] = principal.ObjectId.ToString(),
                ["roles"] = new JsonArray([.. assignments.Where(a => a.PrincipalId == principal.ObjectId)
                    .Select(a => new JsonObject { ["role"] = BuiltInRoles.Find(a.RoleId)?.RoleName, ["scope"] = a.Scope })]),
            })]));
        }));
        return command;
    }

    private static Command Reset()
    {
        var (data, name) = (DataOption(), NameArgument());
        var append = new Option<bool>("--append") { Description = "Leave the secrets it has valid beside the new one." };
        var command = new Command("reset", "Give a principal a new secret and print it, this once.") { name, data, append };
        command.SetCancellableAction((parsed, _) => RunAsync(() =>
        {
            var folder = PrincipalsFolder.Open(parsed.GetRequiredValue(data));
            var secret = ClientSecrets.New();
            ServicePrincipal? changed = null;
            folder.File.Change(all =>
            {
                var before = Find(all, parsed.GetRequiredValue(name));
                changed = before with { Secrets = [.. parsed.GetValue(append) ? before.Secrets : [], SecretHash.Create(secret)] };
                return all.Select(p => p.ClientId == before.ClientId ? changed : p);
            });
            WriteCredentials(changed!, secret, folder);
            return Task.CompletedTask;
        }));
        return command;
    }

    private static Command Remove()
    {
        var (data, name) = (DataOption(), NameArgument());
        var command = new Command("remove", "Remove a principal and its roles. Tokens that it has are good for nothing from then on.") { name, data };
        command.SetCancellableAction((parsed, cancellationToken) => RunAsync(async () =>
        {
            var folder = PrincipalsFolder.Open(parsed.GetRequiredValue(data));
            var principal = Find(folder.File.Read(), parsed.GetRequiredValue(name));
            // The secret first: nothing that it could still sign in for may outlive the roles' end.
            folder.File.Change(all => all.Where(p => p.ClientId != principal.ClientId));
            await folder.UnassignAsync(principal.ObjectId, cancellationToken);
        }));
        return command;
    }

    private static Option<string> DataOption() => new("--data") { Description = "The server's data folder.", Required = true };

    private static Argument<string> NameArgument() => new("NAME") { Description = "What the principal is called, or its application id." };

    private static ServicePrincipal Find(IEnumerable<ServicePrincipal> all, string name) =>
        all.FirstOrDefault(p => Same(p.DisplayName, name) || Same(p.ClientId.ToString(), name)) ?? throw new ArgumentException($"There is no principal '{name}'.");

    private static bool Same(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);

    // The members that 'az ad sp create-for-rbac' prints, and the object id, which 'az role assignment create' wants.
    private static void WriteCredentials(ServicePrincipal principal, string secret, PrincipalsFolder folder) => Write(new JsonObject
    {
        ["appId"] = principal.ClientId.ToString(),
        ["displayName"] = principal.DisplayName,
        ["objectId"] = principal.ObjectId.ToString(),
        ["password"] = secret,
        ["tenant"] = folder.TenantId.ToString(),
    });

    private static void Write(JsonNode json) => Console.WriteLine(json.ToJsonString(Readable));

    private static async Task<int> RunAsync(Func<Task> act)
    {
        try
        {
            await act();
            return 0;
        }
        catch (Exception e) when (e is ArgumentException or IOException or InvalidDataException or UnauthorizedAccessException or System.Data.Common.DbException)
        {
            await Console.Error.WriteLineAsync($"strongroom: {e.Message}");
            return 1;
        }
    }
}
