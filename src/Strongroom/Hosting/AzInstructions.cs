namespace Strongroom.Hosting;

/// <summary>What to paste into a POSIX shell so that the Azure CLI works against this server.</summary>
internal static class AzInstructions
{
    /// <summary>
    /// The lines, in order. The secret is in none of them: az reads it from its standard input (<c>-p @-</c>), so that it is
    /// neither in the shell's history nor in the list of processes.
    /// </summary>
    /// <param name="administrator">Who signs in, and where.</param>
    /// <param name="administratorFile">The absolute path of its file.</param>
    /// <param name="cloudName">What az shall call the server.</param>
    public static IReadOnlyList<string> Lines(Administrator administrator, string administratorFile, string cloudName)
    {
        var lines = new List<string>();
        if (administrator.CaFile is not null)
            lines.Add($"export REQUESTS_CA_BUNDLE={Quote(administrator.CaFile)}");
        lines.Add($"az cloud register -n {Quote(cloudName)} --endpoint-resource-manager {administrator.Endpoint.GetLeftPart(UriPartial.Authority)}");
        lines.Add($"az cloud set -n {Quote(cloudName)}");
        lines.Add(
            $"""sed -n 's/.*"clientSecret": *"\([^"]*\)".*/\1/p' {Quote(administratorFile)} | az login --service-principal -u {administrator.ClientId} -p @- --tenant {administrator.TenantId}""");
        return lines;
    }

    private static string Quote(string text) =>
        text.All(character => char.IsAsciiLetterOrDigit(character) || character is '/' or '.' or '-' or '_')
            ? text
            : "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
