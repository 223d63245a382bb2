using Microsoft.Data.Sqlite;
using Strongroom.Server;
using Strongroom.Store;

namespace Strongroom.Hosting.Tests;

public sealed class A_full_disk
{
    public static TheoryData<Exception, bool> Failures => new()
    {
        { new SqliteException("database or disk is full", 13), true },
        { new InvalidOperationException("An error occurred while saving.", new SqliteException("database or disk is full", 13)), true },
        { new IOException("No space left on device", 28), true },
        { new StoreException(StoreErrorKind.Full, "The disk is full."), true },
        { new SqliteException("database is locked", 5), false },
        { new IOException("Input/output error", 5), false },
        { new StoreException(StoreErrorKind.Corrupt, "Damaged."), false },
        { new InvalidOperationException(), false },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public void Is_told_from_other_failures(Exception failure, bool isFull) => Assert.Equal(isFull, DiskRoom.IsFull(failure));

    [Fact]
    public void Of_the_system_is_what_the_runtime_makes_of_it()
    {
        // Every write to this device fails as on a full disk.
        var failure = Assert.ThrowsAny<IOException>(() =>
        {
            using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
            full.Write([1]);
        });
        Assert.True(DiskRoom.IsFull(failure));
    }
}
