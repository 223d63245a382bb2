namespace Strongroom.Bench.Disks;

/// <summary>What a made disk is like. The same recipe and the same files below <see cref="Source"/> make the same bytes.</summary>
/// <param name="LengthBytes">The disk's size.</param>
/// <param name="ZeroShare">Holes, as a share; the three shares need not add up to anything.</param>
/// <param name="TextShare">Content of files.</param>
/// <param name="RandomShare">Bytes that do not compress.</param>
/// <param name="Seed">Another seed, another disk.</param>
/// <param name="Source">The folder whose files are the text.</param>
internal sealed record DiskRecipe(long LengthBytes, double ZeroShare, double TextShare, double RandomShare, ulong Seed, string Source);

/// <summary>What is changed on a made disk.</summary>
/// <param name="Percent">Of the whole disk, holes included.</param>
/// <param name="ExtentBytes">The length and the alignment of each change.</param>
/// <param name="Seed">Another seed, other places and bytes.</param>
/// <param name="Source">The folder whose files are the text.</param>
internal sealed record ChangeRecipe(double Percent, int ExtentBytes, ulong Seed, string Source);
