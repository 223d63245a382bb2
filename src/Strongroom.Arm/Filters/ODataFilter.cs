using System.Diagnostics.CodeAnalysis;

namespace Strongroom.Arm;

/// <summary>A <c>$filter</c> of the one form that Azure's backup clients send: <c>key eq 'value'</c>, joined by <c>and</c>.</summary>
/// <remarks>
/// Immutable. Keys and values compare without case, as the service compares them (clients send both AzureWorkload and
/// AzureWorkLoad). A quote inside a value is doubled (OData 4.01 ABNF, SQUOTE-in-string). Numbers, true and false may stand
/// unquoted. A key may occur once. Anything else is refused, never ignored: a filter that is silently dropped shows too much.
/// </remarks>
public sealed class ODataFilter
{
    /// <summary>The longest filter read, in characters.</summary>
    public const int MaxLength = 4096;

    private readonly Dictionary<string, string> _values;

    private ODataFilter(Dictionary<string, string> values) => _values = values;

    /// <summary>The filter that lets everything through.</summary>
    public static ODataFilter None { get; } = new(new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase));

    /// <summary>The keys, each once, as sent.</summary>
    public IReadOnlyCollection<string> Keys => _values.Keys;

    /// <summary>The value for <paramref name="key"/>, or null when the filter does not speak of it.</summary>
    public string? this[string key] => _values.GetValueOrDefault(key);

    public bool TryGet(string key, [NotNullWhen(true)] out string? value) => _values.TryGetValue(key, out value);

    /// <summary>True when the filter does not speak of <paramref name="key"/> or asks for exactly <paramref name="actual"/>, without case.</summary>
    public bool Allows(string key, string? actual) =>
        !_values.TryGetValue(key, out string? wanted) || string.Equals(wanted, actual, StringComparison.OrdinalIgnoreCase);

    /// <summary>Refuses a filter with other keys than these.</summary>
    /// <exception cref="ArmException">400, naming the key that is not known.</exception>
    public ODataFilter OnlyKeys(params ReadOnlySpan<string> known)
    {
        foreach (string key in _values.Keys)
        {
            bool isKnown = false;
            foreach (string candidate in known) isKnown |= string.Equals(candidate, key, StringComparison.OrdinalIgnoreCase);
            if (!isKnown) throw ArmErrors.InvalidFilter(key, $"'{key}' cannot be filtered by here; known: {string.Join(", ", known.ToArray())}");
        }
        return this;
    }

    /// <summary>Reads a filter; null and blank mean <see cref="None"/>.</summary>
    /// <exception cref="ArmException">400 InvalidFilterInQueryString, saying what was expected where.</exception>
    public static ODataFilter Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return None;
        if (text.Length > MaxLength) throw ArmErrors.InvalidFilter(text, $"it is longer than {MaxLength} characters");
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var reader = new FilterReader(text);
        do
        {
            string key = reader.Key();
            reader.Word("eq");
            if (!values.TryAdd(key, reader.Value())) throw ArmErrors.InvalidFilter(text, $"'{key}' occurs twice");
        }
        while (reader.Continues());
        return new ODataFilter(values);
    }
}
