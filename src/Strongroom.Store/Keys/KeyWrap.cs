namespace Strongroom.Store.Keys;

/// <summary>The ring's key as one key encryption key wrapped it.</summary>
internal sealed record KeyWrap(string Kind, string KeyId, byte[] Wrapped);
