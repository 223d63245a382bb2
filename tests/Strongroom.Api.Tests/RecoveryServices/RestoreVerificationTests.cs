using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Backup.Lifecycle;
using Strongroom.Backup.Verification;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

public sealed class RestoreVerificationTests : IAsyncLifetime
{
    private const string Policy = BackupHost.Vault + "/backupPolicies/DefaultPolicy";
    private const string Option = Policy + "/providers/Strongroom.RecoveryServices/restoreVerifications/default";
    private const string Result = "/providers/Strongroom.RecoveryServices/verifications/default";

    private BackupHost _host = null!;
    private ProtectedMachine _web1 = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        _web1 = await ProtectedMachine.ProtectAsync(_host);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task The_option_of_a_policy_is_made_changed_and_removed()
    {
        Assert.Equal((404, "ResourceNotFound"), await ToldAsync(_host.GetAsync(Option)));
        Answer made = await _host.PutAsync(Option, """{"properties":{"isEnabled":true}}""");
        Assert.Equal(201, made.Status);
        Assert.Equal($$$"""{"id":"{{{Option}}}","name":"default","type":"Strongroom.RecoveryServices/restoreVerifications","properties":{"isEnabled":true,"after":"EveryBackup","timeoutSeconds":600}}""", made.Body!.ToJsonString());
        string host = BackupHost.Lab + "/providers/Strongroom.Fabric/hosts/nas";
        Answer changed = await _host.PutAsync(Option.Replace("DefaultPolicy", "defaultpolicy", StringComparison.Ordinal),
            $$$"""{"properties":{"isEnabled":true,"after":"Weekly","timeoutSeconds":90,"consolePattern":"login:\\s*$","hostId":"{{{host}}}"}}""");
        Assert.Equal(200, changed.Status);
        JsonNode properties = (await _host.GetAsync(Option)).Body!["properties"]!;
        Assert.Equal((true, "Weekly", 90, "login:\\s*$", host),
            ((bool)properties["isEnabled"]!, (string?)properties["after"], (int)properties["timeoutSeconds"]!, (string?)properties["consolePattern"], (string?)properties["hostId"]));
        Assert.Equal(200, (await _host.DeleteAsync(Option)).Status);
        Assert.Equal(204, (await _host.DeleteAsync(Option)).Status);
        Assert.Equal(404, (await _host.GetAsync(Option)).Status);
    }

    [Fact]
    public async Task The_option_outlives_what_clients_write_of_its_policy_and_goes_with_it()
    {
        const string Gold = BackupHost.Vault + "/backupPolicies/gold";
        string option = Option.Replace("DefaultPolicy", "gold", StringComparison.Ordinal);
        JsonNode body = (await _host.GetAsync(Policy)).Body!;
        string sent = new JsonObject { ["properties"] = body["properties"]!.DeepClone() }.ToJsonString();
        Assert.Equal(200, (await _host.PutAsync(Gold, sent)).Status);
        Assert.Equal(201, (await _host.PutAsync(option, """{"properties":{"isEnabled":true}}""")).Status);
        // Read and written back, as az does it.
        JsonNode read = (await _host.GetAsync(Gold)).Body!;
        Assert.DoesNotContain("verif", read.ToJsonString(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(200, (await _host.PutAsync(Gold, new JsonObject { ["properties"] = read["properties"]!.DeepClone() }.ToJsonString())).Status);
        Assert.True((bool)(await _host.GetAsync(option)).Body!["properties"]!["isEnabled"]!);

        Assert.Equal(200, (await _host.DeleteAsync(Gold)).Status);
        Assert.Equal((404, "BMSUserErrorPolicyNotFound"), await ToldAsync(_host.GetAsync(option)));
        Assert.Equal(200, (await _host.PutAsync(Gold, sent)).Status);
        Assert.Equal(404, (await _host.GetAsync(option)).Status);
    }

    [Fact]
    public async Task A_bad_option_is_refused()
    {
        string[] bodies =
        [
            "{}",
            """{"properties":{}}""",
            """{"properties":{"isEnabled":"yes"}}""",
            """{"properties":{"isEnabled":true,"after":"Sometimes"}}""",
            """{"properties":{"isEnabled":true,"timeoutSeconds":0}}""",
            """{"properties":{"isEnabled":true,"timeoutSeconds":29}}""",
            """{"properties":{"isEnabled":true,"timeoutSeconds":7201}}""",
            """{"properties":{"isEnabled":true,"consolePattern":"("}}""",
            """{"properties":{"isEnabled":true,"consolePattern":"(a)\\1"}}""",
            """{"properties":{"isEnabled":true,"consolePattern":""}}""",
            """{"properties":{"isEnabled":true,"hostId":"vm1"}}""",
            """{"properties":{"isEnabled":true,"hostId":"/subscriptions/9c6b0f7f-0000-0000-0000-000000000000/resourceGroups/lab/providers/Strongroom.Fabric/hosts/nas"}}""",
        ];
        foreach (string body in bodies) Assert.Equal((body, 400), (body, (await _host.PutAsync(Option, body)).Status));
        Assert.Equal(404, (await _host.GetAsync(Option)).Status);
    }

    [Fact]
    public async Task A_policy_that_is_not_there_has_no_option()
    {
        string none = Option.Replace("DefaultPolicy", "none", StringComparison.Ordinal);
        Assert.Equal((404, "BMSUserErrorPolicyNotFound"), await ToldAsync(_host.PutAsync(none, """{"properties":{"isEnabled":true}}""")));
        Assert.Equal((404, "BMSUserErrorPolicyNotFound"), await ToldAsync(_host.DeleteAsync(none)));
        // A policy for databases.
        string logs = Option.Replace("DefaultPolicy", "HourlyLogBackup", StringComparison.Ordinal);
        Assert.Equal((400, "BMSUserErrorOperationNotSupported"), await ToldAsync(_host.PutAsync(logs, """{"properties":{"isEnabled":true}}""")));
    }

    [Fact]
    public async Task A_backup_is_followed_by_a_job_whose_result_is_kept_with_the_recovery_point()
    {
        await _host.PutAsync(Option, """{"properties":{"isEnabled":true}}""");
        string point = $"{_web1.Item}/recoveryPoints/{await _web1.BackUpAsync()}";
        Answer before = await _host.GetAsync(point + Result);
        Assert.Equal("""{"state":"NotVerified"}""", before.Body!["properties"]!.ToJsonString());
        Assert.Equal(404, (await _host.GetAsync(point + Result + "/screenshot")).Status);

        JsonNode job = await VerifyAsync();

        Assert.Equal(("VerifyRestore", "Completed", false), ((string?)job["properties"]!["operation"], (string?)job["properties"]!["status"], (bool)job["properties"]!["isUserTriggered"]!));
        Assert.Equal(2, job["properties"]!["extendedInfo"]!["tasksList"]!.AsArray().Count);
        JsonNode result = (await _host.GetAsync(point + Result)).Body!;
        JsonNode properties = result["properties"]!;
        Assert.Equal(("ProvenBootable", "GuestAgent", 12.3, "The guest agent answered."), ((string?)properties["state"], (string?)properties["by"], (double)properties["tookSeconds"]!, (string?)properties["message"]));
        Assert.Equal((string?)result["id"] + "/screenshot", (string?)properties["screenshot"]);
        using HttpResponseMessage picture = await _host.RespondAsync(new(HttpMethod.Get, $"{properties["screenshot"]}?api-version={BackupHost.Version}"));
        Assert.Equal("image/png", picture.Content.Headers.ContentType?.MediaType);
        Assert.Equal(FakeVerifier.Picture, await picture.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        // Azure's own resource says nothing of it.
        Assert.DoesNotContain("verif", (await _host.GetAsync(point)).Body!.ToJsonString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_machine_that_does_not_boot_is_told_of()
    {
        _host.Services.GetRequiredService<FakeVerifier>().Answer = static _ => Task.FromResult(new MachineVerification(null, TimeSpan.FromSeconds(600), "The machine said nothing in 600 seconds.", FakeVerifier.Picture));
        await _host.PutAsync(Option, """{"properties":{"isEnabled":true}}""");
        string point = $"{_web1.Item}/recoveryPoints/{await _web1.BackUpAsync()}";

        JsonNode job = await VerifyAsync();

        Assert.Equal("Failed", (string?)job["properties"]!["status"]);
        Assert.Contains("The machine said nothing in 600 seconds.", job["properties"]!["errorDetails"]!.ToJsonString(), StringComparison.Ordinal);
        JsonNode properties = (await _host.GetAsync(point + Result)).Body!["properties"]!;
        Assert.Equal(("Failed", null, "The machine said nothing in 600 seconds."), ((string?)properties["state"], properties["by"], (string?)properties["message"]));
        Assert.NotNull(properties["screenshot"]);
        Assert.Equal(200, (await _host.GetAsync(point)).Status);
    }

    [Fact]
    public async Task A_recovery_point_that_is_not_there_has_no_result()
    {
        Assert.Equal((404, "BMSUserErrorRecoveryPointNotFound"), await ToldAsync(_host.GetAsync($"{_web1.Item}/recoveryPoints/123{Result}")));
        Assert.Equal((404, "BMSUserErrorRecoveryPointNotFound"), await ToldAsync(_host.GetAsync($"{_web1.Item}/recoveryPoints/123{Result}/screenshot")));
    }

    /// <summary>Lets time do its work once, and waits for the verification that it begins.</summary>
    private async Task<JsonNode> VerifyAsync()
    {
        using var life = ActivatorUtilities.CreateInstance<ItemLifecycle>(_host.Services, new LifecycleOptions(), ActivatorUtilities.CreateInstance<PointPruning>(_host.Services));
        await life.RunOnceAsync(TestContext.Current.CancellationToken);
        Answer jobs = await _host.GetAsync(BackupHost.Vault + "/backupJobs?$filter=operation%20eq%20'VerifyRestore'");
        return await _host.WaitAsync(BackupHost.Vault, (string)Assert.Single(jobs.Value)!["name"]!);
    }

    private static async Task<(int, string?)> ToldAsync(Task<Answer> answer)
    {
        Answer told = await answer;
        return (told.Status, told.Code);
    }
}
