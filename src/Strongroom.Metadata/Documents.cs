using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Strongroom.Arm;
using Strongroom.Backup.Containers;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Backup.Verification;
using Strongroom.Metadata.Resources;

namespace Strongroom.Metadata;

/// <summary>How records are written into the documents of rows. A member that a newer version adds must have a default: older documents lack it.</summary>
/// <remarks>
/// The generated reader sets every init-only member, those that a document lacks to null or zero: a default that is neither must therefore stand in the
/// member's <c>init</c> too. A test strips all documents of what is not required and compares.
/// </remarks>
[JsonSourceGenerationOptions(IgnoreReadOnlyProperties = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Vault))]
[JsonSerializable(typeof(BackupPolicy))]
[JsonSerializable(typeof(ProtectedItem))]
[JsonSerializable(typeof(RegisteredContainer))]
[JsonSerializable(typeof(RecoveryPoint))]
[JsonSerializable(typeof(PointVerification))]
[JsonSerializable(typeof(Job))]
[JsonSerializable(typeof(AsyncOperation))]
[JsonSerializable(typeof(StoredGroup))]
[JsonSerializable(typeof(StoredResource))]
[JsonSerializable(typeof(RoleAssignment))]
[JsonSerializable(typeof(ActivityEvent))]
internal sealed partial class Documents : JsonSerializerContext
{
    public static string Write<T>(T record, JsonTypeInfo<T> type) => JsonSerializer.Serialize(record, type);

    public static T Read<T>(string document, JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(document, type) ?? throw new InvalidDataException($"A document of {typeof(T).Name} in the database is null.");
}

internal static class Keys
{
    /// <summary>The form in which names are compared.</summary>
    public static string Key(this string name) => name.ToLowerInvariant();
}
