using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;

namespace Strongroom.Clients.FileRecovery;

/// <summary>A recovery point that a server has mounted, as its script describes it.</summary>
/// <param name="Script">The script, with the password in it.</param>
internal sealed record MountedPoint(string Script)
{
    public string Target => Value("TargetNodeAddress");

    /// <summary>Provisions a recovery point over the plain API.</summary>
    public static async Task<MountedPoint> ProvisionAsync(ArmClient client, Lab lab, string point, CancellationToken cancellationToken)
    {
        var body = new JsonObject { ["properties"] = new JsonObject { ["objectType"] = "IaasVMILRRegistrationRequest", ["recoveryPointId"] = point, ["virtualMachineId"] = lab.MachineId } };
        var operation = await client.ChangeAsync(HttpMethod.Post, lab.ItemUrl($"recoveryPoints/{point}/provisionInstantItemRecovery"), body, cancellationToken);
        var script = operation!["properties"]!["recoveryTarget"]!["clientScripts"]![0]!;
        return new(Encoding.UTF8.GetString(Convert.FromBase64String((string)script["scriptContent"]!)));
    }

    public static Task RevokeAsync(ArmClient client, Lab lab, string point, CancellationToken cancellationToken) =>
        client.ChangeAsync(HttpMethod.Post, lab.ItemUrl($"recoveryPoints/{point}/revokeInstantItemRecovery"), null, cancellationToken);

    /// <summary>The URL of a disk for libiscsi, CHAP both ways.</summary>
    public string Url(IPEndPoint server, int lun, string? password = null) => string.Create(CultureInfo.InvariantCulture,
        $"iscsi://{Value("TargetUserName")}%{password ?? Value("TargetPassword")}@{server}/{Target}/{lun}?target_user={Value("InitiatorChapName")}&target_password={Value("InitiatorChapPassword")}");

    public string Value(string name)
    {
        var line = Script.Split('\n').Single(l => l.StartsWith(name + "=\"", StringComparison.Ordinal));
        return line[(name.Length + 2)..^1];
    }
}
