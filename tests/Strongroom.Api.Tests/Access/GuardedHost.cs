using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Arm;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Access;

/// <summary>The whole server behind tokens and roles, with the groups <c>lab</c> and <c>office</c>.</summary>
public sealed class GuardedHost : IAsyncDisposable
{
    public const string Office = BackupHost.Subscription + "/resourceGroups/office";

    private readonly Tokens _tokens;

    private GuardedHost(BackupHost host) => (Host, _tokens) = (host, host.Tokens());

    public BackupHost Host { get; }

    public static async Task<GuardedHost> StartAsync()
    {
        var guarded = new GuardedHost(await BackupHost.StartGuardedAsync());
        foreach (string group in new[] { BackupHost.Lab, Office })
            Assert.Equal(201, (await guarded.SendAsync(Tokens.Administrator, "PUT", group, """{"location":"home"}""")).Status);
        return guarded;
    }

    /// <summary>A new principal with this role over this scope, given by the administrator.</summary>
    public async Task<Guid> PrincipalAsync(RoleDefinition role, string scope = BackupHost.Subscription)
    {
        var principal = Guid.NewGuid();
        Answer answer = await AssignAsync(Tokens.Administrator, principal, role, scope);
        Assert.Equal(201, answer.Status);
        return principal;
    }

    public Task<Answer> AssignAsync(Guid caller, Guid principal, RoleDefinition role, string scope, Guid? name = null) =>
        SendAsync(caller, "PUT", $"{scope}/providers/Microsoft.Authorization/roleAssignments/{name ?? Guid.NewGuid()}", new JsonObject
        {
            ["properties"] = new JsonObject
            {
                ["roleDefinitionId"] = $"{BackupHost.Subscription}/providers/Microsoft.Authorization/roleDefinitions/{role.Id}",
                ["principalId"] = principal.ToString(),
                ["principalType"] = "ServicePrincipal",
            },
        }.ToJsonString(), "2022-04-01");

    public Task<Answer> GetAsync(Guid caller, string path, string apiVersion = BackupHost.Version) => SendAsync(caller, "GET", path, null, apiVersion);

    public Task<Answer> SendAsync(Guid caller, string method, string path, string? body = null, string apiVersion = BackupHost.Version) =>
        SendWithTokenAsync(_tokens.For(caller), method, path, body, apiVersion);

    public async Task<Answer> SendWithTokenAsync(string? token, string method, string path, string? body = null, string apiVersion = BackupHost.Version)
    {
        string query = $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}api-version={apiVersion}";
        using var request = new HttpRequestMessage(new HttpMethod(method), Host.Authority + query.Replace(" ", "%20", StringComparison.Ordinal));
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        return await Host.SendAsync(request);
    }

    public string Expired(Guid caller) => _tokens.For(caller, life: TimeSpan.FromMinutes(-1));

    public string Foreign(Guid caller) => _tokens.For(caller, audience: "https://elsewhere.example/");

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
