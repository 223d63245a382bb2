namespace Strongroom.Backup.Policies.Reading;

/// <summary>Checks <c>tieringPolicy</c>: it is kept and answered; nothing is moved to an archive here.</summary>
internal static class TieringReader
{
    private const string Archive = "ArchivedRP";

    public static void Check(PolicyNode node)
    {
        if (node.Object("tieringPolicy") is not { } tiering || tiering.Object(Archive) is not { } archive) return;
        switch (archive.RequiredText("tieringMode"))
        {
            case "DoNotTier" or "TierRecommended":
                break;
            case "TierAfter":
                CheckDuration(archive);
                break;
            case var other:
                throw PolicyRefusals.Input($"'{archive.PathOf("tieringMode")}' is '{PolicyWords.Cut(other)}'; it must be DoNotTier, TierRecommended or TierAfter.");
        }
    }

    private static void CheckDuration(PolicyNode archive)
    {
        var unit = archive.RequiredText("durationType");
        if (unit is not ("Days" or "Weeks" or "Months" or "Years")) throw PolicyRefusals.Input($"'{archive.PathOf("durationType")}' is '{PolicyWords.Cut(unit)}'; it must be Days, Weeks, Months or Years.");
        // Azure: a point must have been in the vault for three months.
        var count = archive.RequiredInteger("duration");
        var months = unit switch { "Years" => count * 12L, "Months" => count, "Weeks" => count * 7L / 30, _ => count / 30 };
        if (months < 3) throw PolicyRefusals.Retention($"'{archive.PathOf("duration")}' is {count} {unit.ToLowerInvariant()}; a recovery point is archived after three months at the earliest.");
    }
}
