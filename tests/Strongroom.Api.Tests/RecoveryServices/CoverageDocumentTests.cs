using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.Tests.RecoveryServices.Support;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>docs/api-coverage.md says exactly what is mapped.</summary>
public sealed partial class CoverageDocumentTests
{
    [Fact]
    public async Task The_document_lists_every_endpoint_of_recovery_services_and_no_other_as_implemented()
    {
        await using BackupHost host = await BackupHost.StartAsync();
        string[] mapped =
        [
            .. host.Endpoints.Where(e => e.RoutePattern.RawText!.Contains("Microsoft.RecoveryServices", StringComparison.Ordinal))
                .SelectMany(e => e.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Select(m => Normal($"{m} {e.RoutePattern.RawText}"))),
            // One endpoint serves the operations of all providers.
            Normal("GET /providers/Microsoft.RecoveryServices/operations"),
        ];
        string[] lines = await File.ReadAllLinesAsync(Golden.FileOfRepository("docs", "api-coverage.md"));
        (string Request, bool IsImplemented)[] rows = [.. lines.Select(l => Row().Match(l)).Where(m => m.Success).Select(m => (Normal(m.Groups["request"].Value), m.Groups["implemented"].Value == "yes"))];
        string[] extra = [.. lines.Select(l => ExtraRow().Match(l)).Where(m => m.Success).Select(m => Normal(m.Groups["request"].Value))];
        Assert.Equal(81 + 24 + 14, rows.Length);
        Assert.Equal([], rows.Where(r => r.IsImplemented != mapped.Contains(r.Request)).Select(r => $"{r.Request} is said to be {(r.IsImplemented ? "" : "not ")}implemented"));
        Assert.Equal([], mapped.Except(rows.Select(r => r.Request)).Except(extra).Select(m => $"{m} is not in the document"));
        Assert.Equal([], extra.Except(mapped));
    }

    /// <summary>Method and path with every parameter alike.</summary>
    private static string Normal(string request) => Parameter().Replace(
        request
            .Replace("{V}", "{R}/vaults/{v}", StringComparison.Ordinal)
            .Replace("{R}", "/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.RecoveryServices", StringComparison.Ordinal)
            .Replace("{P}", "/subscriptions/{s}/providers/Microsoft.RecoveryServices", StringComparison.Ordinal)
            .Replace("{ITEM}", "{CONT}/protectedItems/{i}", StringComparison.Ordinal)
            .Replace("{CONT}", "{FAB}/protectionContainers/{c}", StringComparison.Ordinal)
            .Replace("{FAB}", "backupFabrics/{f}", StringComparison.Ordinal),
        "{}").TrimEnd('/');

    [GeneratedRegex("\\{[^}]*\\}")]
    private static partial Regex Parameter();

    [GeneratedRegex("^\\| \\d+ \\| \\S+ \\| `(?<request>[A-Z]+ [^`]+)` \\| (?<implemented>yes|no) \\|")]
    private static partial Regex Row();

    [GeneratedRegex("^\\| `(?<request>[A-Z]+ \\{V\\}/[^`]+)` \\|")]
    private static partial Regex ExtraRow();
}
