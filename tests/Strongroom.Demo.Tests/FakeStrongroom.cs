using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Strongroom.Client;

namespace Strongroom.Demo.Tests;

/// <summary>What a test wants to go wrong.</summary>
internal sealed record FakeFaults
{
    /// <summary>One byte of each restored disk of this name differs.</summary>
    public string? CorruptDisk { get; init; }

    /// <summary>This backup (from 1) ends as a failed job.</summary>
    public int FailBackup { get; init; }

    /// <summary>PUT of a vault is refused.</summary>
    public bool RefuseVault { get; init; }

    /// <summary>Called when a backup is asked for.</summary>
    public Action? OnBackup { get; init; }

    /// <summary>The token endpoint that the OpenID configuration names; null for the right one.</summary>
    public string? TokenEndpoint { get; init; }
}

/// <summary>The API as the demo uses it, over HTTPS with an authority of its own; a "recovery point" is a copy of the files.</summary>
internal sealed partial class FakeStrongroom : IDemoServer
{
    private const string Secret = "not-a-secret";
    private readonly TestAuthority authority = new("fake");
    private readonly FakeFaults faults;
    private readonly string folder;
    private readonly HashSet<string> groups = [];
    private readonly Dictionary<string, JsonObject> jobs = [];
    private readonly Dictionary<string, List<(string Point, string Folder)>> points = [];
    private ScriptedApi? api;
    private string hostFolder = "";
    private int backups;
    private int tokens;

    private FakeStrongroom(DemoServerOptions options, FakeFaults faults)
    {
        this.faults = faults;
        folder = options.DataFolder;
        MachinesFolder = options.MachinesFolder;
        CaFile = authority.WritePem(Path.Combine(folder, "ca.pem"));
    }

    public Uri Endpoint { get; private set; } = new("https://localhost");
    public string TenantId { get; } = Guid.NewGuid().ToString();
    public string SubscriptionId { get; } = Guid.NewGuid().ToString();
    public string ClientId { get; } = Guid.NewGuid().ToString();
    public string ClientSecret { get; init; } = Secret;
    public string CaFile { get; }
    public string MachinesFolder { get; }
    public bool IsDisposed { get; private set; }
    public int TokensGiven => tokens;
    public IReadOnlyList<string> Requests => api!.Requests;

    public static async Task<FakeStrongroom> StartAsync(DemoServerOptions options, FakeFaults faults, string secret = Secret)
    {
        var fake = new FakeStrongroom(options, faults) { ClientSecret = secret };
        fake.api = await ScriptedApi.StartAsync(fake.AnswerAsync, builder => builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(fake.authority.Issue("localhost")))));
        fake.Endpoint = new Uri($"https://localhost:{fake.api.Endpoint.Port}/");
        return fake;
    }

    public async ValueTask DisposeAsync()
    {
        IsDisposed = true;
        await api!.DisposeAsync();
        authority.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var (method, path) = (context.Request.Method, context.Request.Path.Value!);
        var body = context.Request.ContentType?.StartsWith("application/json", StringComparison.Ordinal) == true
            ? await JsonNode.ParseAsync(context.Request.Body) as JsonObject
            : null;
        if (path == "/metadata/endpoints")
        {
            await JsonAsync(context, new JsonObject
            {
                ["authentication"] = new JsonObject { ["loginEndpoint"] = $"{Endpoint}adfs", ["audiences"] = new JsonArray($"{Endpoint}") },
            });
        }
        else if (path == $"/{TenantId}/v2.0/.well-known/openid-configuration")
        {
            await JsonAsync(context, new JsonObject { ["token_endpoint"] = faults.TokenEndpoint ?? $"{Endpoint}{TenantId}/oauth2/v2.0/token" });
        }
        else if (path == $"/{TenantId}/oauth2/v2.0/token")
        {
            var form = await context.Request.ReadFormAsync();
            var isRight = form["client_secret"] == Secret && form["client_id"] == ClientId && form["grant_type"] == "client_credentials"
                && form["scope"] == $"{Endpoint}/.default";
            await (isRight
                ? JsonAsync(context, new JsonObject { ["token_type"] = "Bearer", ["expires_in"] = 3600, ["access_token"] = $"token{++tokens}" })
                : ScriptedApi.JsonAsync(context, 401, "{'error':'invalid_client','error_description':'The secret is wrong.'}"));
        }
        else if (context.Request.Headers.Authorization != $"Bearer token{tokens}")
        {
            await ErrorAsync(context, 401, "AuthenticationFailed");
        }
        else if (path.StartsWith("/storage/", StringComparison.Ordinal))
        {
            await Results.File(Path.Combine(folder, path.TrimStart('/'))).ExecuteAsync(context);
        }
        else if (!context.Request.Query.ContainsKey("api-version"))
        {
            await ErrorAsync(context, 400, "MissingApiVersionParameter");
        }
        else if (path.Contains("/vaults/", StringComparison.Ordinal))
        {
            await AnswerVaultAsync(context, method, path, body);
        }
        else
        {
            await AnswerResourceAsync(context, method, path, body);
        }
    }

    private Task AnswerResourceAsync(HttpContext context, string method, string path, JsonObject? body)
    {
        if (path == $"/subscriptions/{SubscriptionId}")
            return JsonAsync(context, new JsonObject { ["displayName"] = "House" });
        if (path.EndsWith("/locations", StringComparison.Ordinal))
            return JsonAsync(context, List(new JsonObject { ["name"] = "home" }));
        if (method == "GET")
            return groups.Contains(path) ? JsonAsync(context, new JsonObject()) : ErrorAsync(context, 404, "ResourceGroupNotFound");
        if (body.Text("location") != "home")
            return ErrorAsync(context, 400, "LocationRequired");
        groups.Add(path);
        if (path.Contains("/Strongroom.Fabric/hosts/", StringComparison.Ordinal))
            hostFolder = body.Text("properties", "path")!;
        return JsonAsync(context, new JsonObject(), 201);
    }

    private Task AnswerVaultAsync(HttpContext context, string method, string path, JsonObject? body)
    {
        var match = VaultPath().Match(path);
        var (vault, rest) = (match.Groups[1].Value, match.Groups[2].Value);
        var group = vault[..vault.IndexOf("/providers/", StringComparison.Ordinal)];
        if (rest.Length == 0 && method == "PUT")
            return faults.RefuseVault ? ErrorAsync(context, 409, "VaultRefused") : AcceptAsync(context, $"{vault}/operationStatus/v", null, 201);
        if (rest.Length == 0)
            return JsonAsync(context, new JsonObject { ["name"] = "demo", ["properties"] = new JsonObject { ["provisioningState"] = "Succeeded" } });
        if (rest == "/operationStatus/v")
            return JsonAsync(context, new JsonObject { ["status"] = "Succeeded" });
        if (rest == "/backupPolicies")
            return JsonAsync(context, List(new JsonObject { ["name"] = "DefaultPolicy" }, new JsonObject { ["name"] = "EnhancedPolicy" }));
        if (rest == "/backupPolicies/DefaultPolicy")
            return JsonAsync(context, new JsonObject { ["id"] = path });
        if (rest.EndsWith("/refreshContainers", StringComparison.Ordinal))
            return AcceptAsync(context, null, $"{vault}/backupFabrics/Azure/operationResults/r");
        if (rest == "/backupFabrics/Azure/operationResults/r")
            return StatusAsync(context, 204);
        if (rest == "/backupProtectableItems")
            return JsonAsync(context, List([.. Directory.GetDirectories(hostFolder).Order().Select(machine => Protectable(group, Path.GetFileName(machine)))]));
        if (rest.StartsWith("/backupJobs/", StringComparison.Ordinal))
            return JsonAsync(context, Poll(rest[12..]));
        if (rest.StartsWith("/operations/", StringComparison.Ordinal))
            return JsonAsync(context, new JsonObject { ["status"] = "Succeeded", ["properties"] = new JsonObject { ["jobId"] = rest[12..] } });
        if (rest.EndsWith("/backup", StringComparison.Ordinal))
            return AcceptJobAsync(context, vault, BackUp(rest));
        if (rest.EndsWith("/recoveryPoints", StringComparison.Ordinal))
            return JsonAsync(context, List([.. points.GetValueOrDefault(Machine(rest), []).Select(point => new JsonObject { ["name"] = point.Point })]));
        if (rest.EndsWith("/restore", StringComparison.Ordinal))
            return AcceptJobAsync(context, vault, Restore(rest, body));
        return method == "PUT" ? AcceptJobAsync(context, vault, Job("Completed", new JsonObject())) : ErrorAsync(context, 404, "NotFound");
    }

    private static JsonObject Protectable(string group, string machine) => new()
    {
        ["name"] = $"iaasvmcontainerv2;demo;{machine}",
        ["properties"] = new JsonObject
        {
            ["friendlyName"] = machine,
            ["virtualMachineId"] = $"{group}/providers/Microsoft.Compute/virtualMachines/{machine}",
        },
    };

    private static string Machine(string rest) => MachineName().Match(rest).Groups[1].Value;

    private string BackUp(string rest)
    {
        faults.OnBackup?.Invoke();
        if (++backups == faults.FailBackup)
            return Job("Failed", new JsonObject());
        var (machine, point) = (Machine(rest), $"{1000 + backups}");
        var copy = Directory.CreateDirectory(Path.Combine(folder, "points", point)).FullName;
        foreach (var disk in Directory.GetFiles(Path.Combine(hostFolder, machine), "*.raw"))
            File.Copy(disk, Path.Combine(copy, Path.GetFileName(disk)));
        if (!points.TryGetValue(machine, out var list))
            points[machine] = list = [];
        list.Insert(0, (point, copy));
        return Job("Completed", new JsonObject());
    }

    private string Restore(string rest, JsonObject? body)
    {
        var machine = Machine(rest);
        var point = points[machine].First(point => point.Point == body.Text("properties", "recoveryPointId"));
        var container = $"restores/{machine}-{point.Point}";
        var target = Directory.CreateDirectory(Path.Combine(folder, "storage", container)).FullName;
        var disks = new List<JsonObject>();
        foreach (var disk in Directory.GetFiles(point.Folder).Order(StringComparer.Ordinal))
        {
            var vhd = Path.Combine(target, Path.GetFileName(disk) + ".vhd");
            using (var file = File.Open(vhd, FileMode.Create))
            {
                file.Write(File.ReadAllBytes(disk));
                // As the real thing: whole MiB, then the footer.
                file.Write(new byte[1024 * 1024]);
                file.Write([.. "conectix"u8, .. new byte[504]]);
                if (faults.CorruptDisk == Path.GetFileName(disk))
                {
                    file.Position = 123_456;
                    file.WriteByte((byte)(File.ReadAllBytes(disk)[123_456] ^ 1));
                }
            }

            disks.Add(new JsonObject { ["lun"] = disks.Count, ["vhd"] = new JsonObject { ["uri"] = $"{Endpoint}storage/{container}/{Path.GetFileName(vhd)}" } });
        }

        var config = new JsonObject
        {
            ["properties.storageProfile"] = new JsonObject { ["osDisk"] = disks[0], ["dataDisks"] = new JsonArray([.. disks.Skip(1).Reverse()]) },
        };
        File.WriteAllText(Path.Combine(target, "config.json"), config.ToJsonString());
        return Job("Completed", new JsonObject { ["Config Blob Uri"] = $"{Endpoint}storage/{container}/config.json" });
    }

    private string Job(string status, JsonObject propertyBag)
    {
        var id = Guid.NewGuid().ToString();
        jobs[id] = new JsonObject
        {
            ["name"] = id,
            ["properties"] = new JsonObject
            {
                ["status"] = status,
                ["startTime"] = "2026-01-01T00:00:00.0000000Z",
                ["endTime"] = "2026-01-01T00:00:02.0000000Z",
                ["errorDetails"] = status == "Failed"
                    ? new JsonArray(new JsonObject { ["errorCode"] = 400136, ["errorString"] = "The disk changed while it was read." })
                    : null,
                ["extendedInfo"] = new JsonObject
                {
                    ["propertyBag"] = propertyBag,
                    ["internalPropertyBag"] = new JsonObject
                    {
                        [JobOutcome.BytesReadKey] = "30000000",
                        [JobOutcome.BytesChangedKey] = "20000000",
                        [JobOutcome.BytesNewKey] = "10000000",
                        [JobOutcome.BytesStoredKey] = "5000000",
                    },
                },
            },
        };
        return id;
    }

    /// <summary>A job runs at its first poll and has ended at its second.</summary>
    private JsonObject Poll(string id)
    {
        var job = jobs[id];
        if (job["polled"] is not null)
            return job;
        job["polled"] = true;
        return new JsonObject
        {
            ["name"] = id,
            ["properties"] = new JsonObject { ["status"] = "InProgress", ["extendedInfo"] = new JsonObject { ["progressPercentage"] = 50.0 } },
        };
    }

    private Task AcceptJobAsync(HttpContext context, string vault, string job) => AcceptAsync(context, $"{vault}/operations/{job}", null);

    private Task AcceptAsync(HttpContext context, string? operation, string? location, int status = 202)
    {
        if (operation is not null)
            context.Response.Headers["Azure-AsyncOperation"] = new Uri(Endpoint, operation + "?api-version=2019-05-13-preview").ToString();
        if (location is not null)
            context.Response.Headers.Location = new Uri(Endpoint, location + "?api-version=2024-04-01").ToString();
        return StatusAsync(context, status);
    }

    private static Task StatusAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private static JsonObject List(params JsonNode[] items) => new() { ["value"] = new JsonArray(items) };

    private static Task ErrorAsync(HttpContext context, int status, string code) =>
        ScriptedApi.JsonAsync(context, status, $"{{'error':{{'code':'{code}','message':'Refused by the fake.'}}}}");

    private static Task JsonAsync(HttpContext context, JsonObject body, int status = 200) =>
        ScriptedApi.JsonAsync(context, status, body.ToJsonString());

    [GeneratedRegex("^(.*/vaults/[^/]+)(.*)$")]
    private static partial Regex VaultPath();

    [GeneratedRegex("protectedItems/vm;iaasvmcontainerv2;demo[0-9]*;([^/]+)")]
    private static partial Regex MachineName();
}
