using System.Diagnostics.CodeAnalysis;

namespace Strongroom.Clients;

/// <summary>What the files shared with the tests ask for (Live/Shared): here what is not so is an error.</summary>
internal static class Assert
{
    /// <exception cref="InvalidOperationException">It is not so.</exception>
    public static void True([DoesNotReturnIf(false)] bool isSo, string otherwise)
    {
        if (!isSo)
            throw new InvalidOperationException(otherwise);
    }

    /// <exception cref="InvalidOperationException">They differ.</exception>
    public static void Equal<T>(T expected, T actual) => True(EqualityComparer<T>.Default.Equals(expected, actual), $"{actual}, where {expected} was expected.");
}
