using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Strongroom.Identity.Keys;
using Strongroom.Identity.Principals;

namespace Strongroom.Identity.Tests;

public sealed class Signing_keys : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("strongroom-keys-").FullName;
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_key_is_made_once_and_is_for_its_owner_alone()
    {
        var keys = Path.Combine(folder, "identity");
        var first = SigningKeyRing.Open(keys, time);
        var second = SigningKeyRing.Open(keys, time);

        Assert.Equal(first.Current.KeyId, second.Current.KeyId);
        var file = Assert.Single(Directory.EnumerateFiles(keys));
        Assert.EndsWith("20261122T120000Z.pem", file, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(keys));
        }
    }

    [Fact]
    public void Rotations_within_one_second_and_after_the_clock_went_back_keep_their_order()
    {
        var ring = SigningKeyRing.Open(folder, time);
        ring.Rotate();
        var newest = ring.Rotate();
        var later = SigningKeyRing.Open(folder, new FakeTimeProvider(time.GetUtcNow().AddDays(-1)));

        Assert.Equal(newest.KeyId, later.Current.KeyId);
        Assert.Equal(3, later.All.Length);
        Assert.Equal(later.Rotate().KeyId, SigningKeyRing.Open(folder, time).Current.KeyId);
    }

    [Theory]
    [InlineData("20261122T120000Z.pem", "no key")]
    [InlineData("20261122T120000Z.pem", "")]
    [InlineData("mine.pem", "no key")]
    public void A_file_that_is_no_key_is_named_and_not_skipped(string name, string text)
    {
        File.WriteAllText(Path.Combine(folder, name), text);
        var error = Assert.Throws<InvalidDataException>(() => SigningKeyRing.Open(folder, time));
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_half_written_key_is_not_taken_for_one()
    {
        File.WriteAllText(Path.Combine(folder, "20301122T120000Z.pem.new"), "-----BEGIN PRIV");
        Assert.Single(SigningKeyRing.Open(folder, time).All);
    }

    [Fact]
    public void A_secret_matches_its_hash_and_no_other_does() =>
        Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 9, 40], Gen.String[Gen.Char.AlphaNumeric, 9, 40]).Sample(
            (secret, other) =>
            {
                var hash = SecretHash.Parse(SecretHash.Create(secret).ToString());
                return hash.Matches(secret) && hash.Matches(other) == (secret == other)
                    && !hash.Matches("") && !hash.ToString().Contains(secret + "$", StringComparison.Ordinal);
            },
            iter: 10,
            threads: 1);

    [Fact]
    public void Two_hashes_of_one_secret_differ() =>
        Assert.NotEqual(SecretHash.Create("one").ToString(), SecretHash.Create("one").ToString());

    [Theory]
    [InlineData("")]
    [InlineData("plain")]
    [InlineData("pbkdf2-sha256$0$AAAAAAAAAAAAAAAAAAAAAA==$AAAA")]
    [InlineData("pbkdf2-sha256$1000$AAAAAAAAAAAAAAAAAAAAAA==$AAAA")]
    [InlineData("pbkdf2-sha256$99999999999$AAAAAAAAAAAAAAAAAAAAAA==$AAAA")]
    [InlineData("pbkdf2-sha256$1000$!$!")]
    public void A_text_that_is_no_hash_is_refused(string text) => Assert.Throws<FormatException>(() => SecretHash.Parse(text));
}
