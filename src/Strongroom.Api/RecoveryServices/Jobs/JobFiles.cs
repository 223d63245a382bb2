using Strongroom.Backup.Jobs;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Jobs;

/// <summary>Jobs as the text of a file, piece by piece.</summary>
internal interface IJobFile
{
    string ContentType { get; }
    string Begin { get; }
    string Entry(Job job, bool isFirst);
    string End { get; }
}

/// <summary>An array of the jobs, each as a GET of it answers.</summary>
internal sealed class JsonJobFile(Vault vault, DateTimeOffset now) : IJobFile
{
    public string ContentType => "application/json";

    public string Begin => "[";

    public string Entry(Job job, bool isFirst) => (isFirst ? "" : ",\n") + JobContract.ToJson(vault, job, now, isDetail: true).ToJsonString();

    public string End => "]\n";
}

/// <summary>A table after RFC 4180, one line a job.</summary>
internal sealed class CsvJobFile : IJobFile
{
    public string ContentType => "text/csv";

    public string Begin => "Job,Item,Operation,Status,Started,Ended,Error\r\n";

    public string Entry(Job job, bool isFirst) => string.Join(',', ((string[])
    [
        job.Id.ToString(), job.FriendlyName, job.Operation, job.State, WireTimes.Text(job.StartedAt), WireTimes.Text(job.EndedAt, ""),
        job.Errors.Length == 0 ? "" : $"{job.Errors[0].Title}: {job.Errors[0].Message}",
    ]).Select(Field)) + "\r\n";

    public string End => "";

    /// <summary>Quoted; a text that a spreadsheet would take for a formula is marked as text.</summary>
    private static string Field(string text) =>
        '"' + (text.Length > 0 && "=+-@".Contains(text[0], StringComparison.Ordinal) ? "'" : "") + text.Replace("\"", "\"\"", StringComparison.Ordinal) + '"';
}
