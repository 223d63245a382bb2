using Microsoft.Data.Sqlite;
using Strongroom.Arm;
using Strongroom.Hosting;
using Strongroom.Store;

namespace Strongroom.Server;

/// <summary>A full disk is the operator's matter and not a fault of ours: it is told as what it is.</summary>
internal static class DiskRoom
{
    /// <summary>With less room than this the server is not ready: SQLite's log, certificates and packs need some.</summary>
    public const long LeastFreeBytes = 32L << 20;

    private const int SqliteFull = 13;
    private const int NoSpaceLeft = 28;

    /// <summary>Turns the failures of a full disk into 507, with a sentence that says what to do.</summary>
    public static void UseDiskRoomErrors(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        try
        {
            await next(context);
        }
        catch (Exception e) when (IsFull(e) && !context.Response.HasStarted)
        {
            throw ArmErrors.Custom(StatusCodes.Status507InsufficientStorage, "InsufficientStorage",
                "The server's disk is full; nothing was changed. Delete recovery points or restored disks, or give it room, and try again.");
        }
    });

    /// <summary>Whether there is too little room in the data folder to work.</summary>
    public static bool IsShort(DataFolder data) => new DriveInfo(data.Root).AvailableFreeSpace < LeastFreeBytes;

    internal static bool IsFull(Exception? e)
    {
        for (; e is not null; e = e.InnerException)
        {
            if (e is SqliteException { SqliteErrorCode: SqliteFull } or StoreException { Kind: StoreErrorKind.Full }) return true;
            // The system's error number is in the low bits of the HResult on Linux.
            if (e is IOException && (e.HResult & 0xFFFF) == NoSpaceLeft) return true;
        }

        return false;
    }
}
