using System.Globalization;
using System.Text;

namespace Strongroom.Arm;

/// <summary>The words of a filter, read from left to right. Blanks between them are spaces or tabs, as many as one likes.</summary>
internal ref struct FilterReader(string text)
{
    private readonly string _text = text;
    private int _at;

    /// <summary>A key: a letter, then letters, digits, dots, underscores or slashes.</summary>
    public string Key()
    {
        SkipBlanks();
        int start = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || (_at > start && _text[_at] is '.' or '_' or '/'))) _at++;
        if (_at == start || !char.IsAsciiLetter(_text[start])) throw Expected("the name of a property", start);
        return _text[start.._at];
    }

    /// <summary>The word itself, without regard to case, set off by blanks.</summary>
    public void Word(string word)
    {
        bool isSetOff = SkipBlanks();
        int start = _at;
        if (!isSetOff || !AtWord(word)) throw Expected($"'{word}'", start);
        _at += word.Length;
    }

    /// <summary>One of these words, without regard to case, set off by blanks; answered as it stands in the list.</summary>
    public string OneOf(params ReadOnlySpan<string> words)
    {
        bool isSetOff = SkipBlanks();
        int start = _at;
        foreach (string word in words)
        {
            if (!isSetOff || !AtWord(word)) continue;
            _at += word.Length;
            return word;
        }
        throw Expected(string.Join(", ", words.ToArray()), start);
    }

    /// <summary>A quoted text, or whatever stands there up to the next blank.</summary>
    public string ValueOrWord()
    {
        SkipBlanks();
        if (_at < _text.Length && _text[_at] == '\'') return Quoted();
        int start = _at;
        while (_at < _text.Length && !IsBlank(_text[_at])) _at++;
        return _at > start ? _text[start.._at] : throw Expected("a value", start);
    }

    /// <summary>A quoted text, a number, true or false; without its quotes.</summary>
    public string Value()
    {
        bool isSetOff = SkipBlanks();
        if (_at < _text.Length && _text[_at] == '\'') return Quoted();
        int start = _at;
        while (_at < _text.Length && !IsBlank(_text[_at])) _at++;
        string word = _text[start.._at];
        bool isLiteral = isSetOff && (bool.TryParse(word, out _) || decimal.TryParse(word, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _));
        return isLiteral ? word : throw Expected("a value in single quotes", start);
    }

    /// <summary>True after <c>and</c>, false at the end.</summary>
    public bool Continues()
    {
        bool isSetOff = SkipBlanks();
        if (_at == _text.Length) return false;
        int start = _at;
        if (!isSetOff || !AtWord("and")) throw Expected("'and' or the end", start);
        _at += "and".Length;
        return true;
    }

    private string Quoted()
    {
        int start = _at++;
        var value = new StringBuilder();
        while (true)
        {
            int quote = _text.IndexOf('\'', _at);
            if (quote < 0) throw Expected("the closing quote of the value", start);
            value.Append(_text, _at, quote - _at);
            _at = quote + 1;
            if (_at == _text.Length || _text[_at] != '\'') return value.ToString();
            value.Append('\'');
            _at++;
        }
    }

    private readonly bool AtWord(string word) =>
        string.Compare(_text, _at, word, 0, word.Length, StringComparison.OrdinalIgnoreCase) == 0
        && (_at + word.Length == _text.Length || IsBlank(_text[_at + word.Length]) || _text[_at + word.Length] == '\'');

    private bool SkipBlanks()
    {
        int start = _at;
        while (_at < _text.Length && IsBlank(_text[_at])) _at++;
        return _at > start;
    }

    private static bool IsBlank(char c) => c is ' ' or '\t';

    private readonly ArmException Expected(string what, int at) =>
        ArmErrors.InvalidFilter(_text, $"expected {what} at character {(at + 1).ToString(CultureInfo.InvariantCulture)}; the form is key eq 'value' and key eq 'value'");
}
