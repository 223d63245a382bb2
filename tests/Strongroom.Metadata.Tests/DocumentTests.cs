using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Strongroom.Backup.Operations;
using Strongroom.Backup.ResourceGuards;
using Strongroom.Backup.Vaults;
using Strongroom.Metadata.Tests.Support;

namespace Strongroom.Metadata.Tests;

/// <summary>Documents written by an older version lack what a newer one added.</summary>
public sealed class DocumentTests
{
    [Fact]
    public void A_vault_without_the_optional_members_has_their_defaults()
    {
        var vault = Documents.Read(Without(Documents.Write(Sample.Vault(), Documents.Default.Vault), "Tags", "Properties", "Config"), Documents.Default.Vault);

        Assert.Empty(vault.Tags);
        Assert.Empty(vault.Properties);
        Assert.Equal(new VaultConfig(), vault.Config);
    }

    [Fact]
    public void A_member_that_is_missing_in_a_nested_record_has_its_default()
    {
        var json = JsonNode.Parse(Documents.Write(Sample.Vault(), Documents.Default.Vault))!.AsObject();
        json["Config"] = new JsonObject { ["IsStorageTypeLocked"] = true };

        var config = Documents.Read(json.ToJsonString(), Documents.Default.Vault).Config;

        Assert.Equal(new VaultConfig { IsStorageTypeLocked = true }, config);
    }

    [Fact]
    public void A_vaults_resource_guard_and_what_was_unlocked_are_read_back()
    {
        var guard = new VaultGuard("/subscriptions/s/resourceGroups/g/providers/Microsoft.DataProtection/resourceGuards/one", Sample.Now).Unlock(CriticalOperation.DeleteItem, "web1", Sample.Now);

        var read = Documents.Read(Documents.Write(Sample.Vault() with { Guard = guard }, Documents.Default.Vault), Documents.Default.Vault).Guard!;

        Assert.Equal((guard.ResourceGuardId, guard.UpdatedAt), (read.ResourceGuardId, read.UpdatedAt));
        Assert.Equal(guard.Unlocks, read.Unlocks.AsEnumerable());
        Assert.Null(Documents.Read(Documents.Write(Sample.Vault(), Documents.Default.Vault), Documents.Default.Vault).Guard);
    }

    [Fact]
    public void A_job_without_the_optional_members_has_their_defaults()
    {
        var job = Sample.Job(Sample.Item(Sample.Vault()));
        var read = Documents.Read(Without(Documents.Write(job, Documents.Default.Job), "Request", "Tasks", "Properties", "InternalProperties", "Errors", "Attempt", "Fence"), Documents.Default.Job);

        Assert.Empty(read.Request);
        Assert.Empty(read.Tasks);
        Assert.Empty(read.Properties);
        Assert.Empty(read.InternalProperties);
        Assert.Empty(read.Errors);
    }

    [Fact]
    public void A_point_in_transfer_is_written_and_read_whole()
    {
        var job = Sample.Job(Sample.Item(Sample.Vault())) with { InTransfer = Sample.InTransfer(7) };
        var text = Documents.Write(job, Documents.Default.Job);
        var read = Documents.Read(text, Documents.Default.Job);
        Assert.Equal((7, job.InTransfer.Name, job.InTransfer.Time, job.InTransfer.DueAt), (read.InTransfer!.Fence, read.InTransfer.Name, read.InTransfer.Time, read.InTransfer.DueAt));
        Assert.Equal(text, Documents.Write(read, Documents.Default.Job));
    }

    [Fact]
    public void An_item_and_a_point_without_the_optional_members_have_their_defaults()
    {
        var item = Sample.Item(Sample.Vault());
        var read = Documents.Read(Without(Documents.Write(item, Documents.Default.ProtectedItem), "PolicyName", "LastBackupStatus", "SoftDeleteDays"), Documents.Default.ProtectedItem);
        Assert.Equal(("", "", 0), (read.PolicyName, read.LastBackupStatus, read.SoftDeleteDays));

        var json = JsonNode.Parse(Documents.Write(Sample.Point(item, 1), Documents.Default.RecoveryPoint))!.AsObject();
        json["Machine"] = JsonNode.Parse(Without(json["Machine"]!.ToJsonString(), "OsType", "Size", "Tags"));
        var machine = Documents.Read(json.ToJsonString(), Documents.Default.RecoveryPoint).Machine;
        Assert.Equal(("Linux", "Standard_B2s"), (machine.OsType, machine.Size));
        Assert.Empty(machine.Tags);
    }

    [Fact]
    public void An_operation_without_the_optional_members_has_their_defaults()
    {
        var operation = new AsyncOperation { Id = Guid.NewGuid(), VaultKey = Guid.NewGuid(), StartedAt = Sample.Now };
        Assert.Equal(operation, Documents.Read(Without(Documents.Write(operation, Documents.Default.AsyncOperation), "Subject", "FollowsJob"), Documents.Default.AsyncOperation));
    }

    [Fact]
    public void A_document_stripped_of_all_that_is_not_required_reads_as_the_record_with_its_defaults()
    {
        var vault = Sample.Vault();
        var item = Sample.Item(vault) with { PolicyName = "" };
        AssertDefaults(vault, Documents.Default.Vault);
        AssertDefaults(item, Documents.Default.ProtectedItem);
        AssertDefaults(Sample.Job(item), Documents.Default.Job);
        // A share's point has no machine.
        AssertDefaults(Sample.Point(item, 1), Documents.Default.RecoveryPoint, "Machine");
        var share = JsonNode.Parse(Documents.Write(Sample.Point(item, 1) with { MachineOrNone = null, Share = new("id", "tree", 1, 2, 3, true) }, Documents.Default.RecoveryPoint))!.AsObject();
        share["Share"]!.AsObject().Remove("Problems");
        Assert.Empty(Documents.Read(share.ToJsonString(), Documents.Default.RecoveryPoint).Share!.Problems);
        AssertDefaults(new AsyncOperation { Id = Guid.NewGuid(), VaultKey = Guid.NewGuid(), StartedAt = Sample.Now }, Documents.Default.AsyncOperation);
    }

    [Fact]
    public void Members_that_a_newer_version_added_are_passed_over()
    {
        var json = JsonNode.Parse(Documents.Write(Sample.Vault(), Documents.Default.Vault))!.AsObject();
        json["FromTheFuture"] = new JsonObject { ["a"] = 1 };
        Assert.Equal("vault1", Documents.Read(json.ToJsonString(), Documents.Default.Vault).Name);
    }

    [Fact]
    public void A_document_without_what_is_required_is_refused()
    {
        var text = Without(Documents.Write(Sample.Vault(), Documents.Default.Vault), "Location");
        Assert.Throws<JsonException>(() => Documents.Read(text, Documents.Default.Vault));
        Assert.Throws<InvalidDataException>(() => Documents.Read("null", Documents.Default.Vault));
    }

    /// <param name="kept">A member that is not required and stays; what is in it is stripped like the rest.</param>
    private static void AssertDefaults<T>(T blank, JsonTypeInfo<T> type, string? kept = null)
    {
        var whole = JsonNode.Parse(Documents.Write(blank, type))!.AsObject();
        var stripped = whole.DeepClone().AsObject();
        Strip(stripped, type, kept);
        Assert.NotEqual(whole.ToJsonString(), stripped.ToJsonString());
        var read = JsonNode.Parse(Documents.Write(Documents.Read(stripped.ToJsonString(), type), type));
        Assert.Equal(whole.ToJsonString(), read!.ToJsonString());
    }

    private static void Strip(JsonObject json, JsonTypeInfo type, string? kept = null)
    {
        foreach (var member in type.Properties)
        {
            if (!member.IsRequired && member.Name != kept) json.Remove(member.Name);
            else if (json[member.Name] is JsonObject nested) Strip(nested, Documents.Default.GetTypeInfo(member.PropertyType)!);
        }
    }

    private static string Without(string document, params string[] members)
    {
        var json = JsonNode.Parse(document)!.AsObject();
        foreach (var member in members) json.Remove(member);
        return json.ToJsonString();
    }
}
