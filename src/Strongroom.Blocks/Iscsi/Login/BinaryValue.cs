namespace Strongroom.Blocks.Iscsi.Login;

/// <summary>Large binary values (RFC 7143, 6.1): 0x and hexadecimal digits, or 0b and Base64.</summary>
internal static class BinaryValue
{
    public static string Format(ReadOnlySpan<byte> value) => "0x" + Convert.ToHexStringLower(value);

    /// <returns>The bytes; null when the text is no such value, or longer than <paramref name="mostBytes"/>.</returns>
    public static byte[]? Parse(string text, int mostBytes)
    {
        if (text.Length > 2 + (2 * mostBytes) + 4)
            return null;
        try
        {
            var value = text switch
            {
                ['0', 'x' or 'X', .. var digits] => Convert.FromHexString(digits.Length % 2 == 0 ? digits : "0" + digits),
                ['0', 'b' or 'B', .. var digits] => Convert.FromBase64String(digits),
                _ => null,
            };
            return value?.Length <= mostBytes ? value : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
