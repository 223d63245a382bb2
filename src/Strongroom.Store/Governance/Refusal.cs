namespace Strongroom.Store.Governance;

/// <summary>Why a rule forbids something, as a part of a sentence.</summary>
internal sealed record Refusal(StoreErrorKind Kind, string Why)
{
    public StoreException ToException(string what) => new(Kind, $"{what}: {Why}. Nothing was changed.");
}
