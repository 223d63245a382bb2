using System.Text.Json.Nodes;
using Strongroom.Backup.Jobs;

namespace Strongroom.Backup.Operations;

/// <summary>
/// An asynchronous operation as clients track it: the id in every <c>Azure-AsyncOperation</c> and <c>Location</c> URL. Its state follows its
/// job where <see cref="FollowsJob"/>; else it is final from the start.
/// </summary>
public sealed record AsyncOperation
{
    public required Guid Id { get; init; }

    /// <summary>The vault it belongs to; an operation is found only through its own vault.</summary>
    public required Guid VaultKey { get; init; }

    /// <summary>What it was about: the item or container's native name, a job's id; empty for the vault itself.</summary>
    public string Subject { get; init => field = value ?? ""; } = "";

    /// <summary>The job that it started, shown as <c>properties.jobId</c>.</summary>
    public Guid? JobId { get; init; }

    /// <summary>True: in progress until the job is over, and failed if it fails. False: succeeded as soon as the job is admitted.</summary>
    public bool FollowsJob { get; init; }

    /// <summary>A result of its own (<c>properties</c> of the status), or null.</summary>
    public JsonObject? Result { get; init; }

    /// <summary>The list of jobs that can be downloaded because of it, or null.</summary>
    public JobExport? Export { get; init; }

    public required DateTimeOffset StartedAt { get; init; }
}

/// <summary>Jobs to download by whoever has the secret, for <see cref="ValidFor"/> from the operation's start.</summary>
public sealed record JobExport(string Secret, JobQuery Query)
{
    public static TimeSpan ValidFor { get; } = TimeSpan.FromHours(1);
}

/// <summary>Keeps asynchronous operations.</summary>
public interface IOperationRepository
{
    Task AddAsync(AsyncOperation operation, CancellationToken cancellationToken);

    Task<AsyncOperation?> FindAsync(Guid vaultKey, Guid operationId, CancellationToken cancellationToken);
}
