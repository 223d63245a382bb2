using System.Diagnostics.CodeAnalysis;

namespace Strongroom.Bench;

/// <summary>What to measure.</summary>
internal sealed record StoreBenchOptions(string Image, string? Second, string? Vault)
{
    public static bool TryParse(string[] args, [NotNullWhen(true)] out StoreBenchOptions? options)
    {
        options = null;
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Length; i += 2)
        {
            if (args[i] is not ("--image" or "--second" or "--vault") || i + 1 == args.Length)
                return false;
            values[args[i]] = args[i + 1];
        }

        if (!values.TryGetValue("--image", out var image))
            return false;
        options = new(image, values.GetValueOrDefault("--second"), values.GetValueOrDefault("--vault"));
        return true;
    }
}
