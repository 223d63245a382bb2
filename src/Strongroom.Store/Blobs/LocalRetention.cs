using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Store.Blobs;

/// <summary>Retention of files by the immutable flag; until when stands in an extended attribute. Thread-safe.</summary>
/// <remarks>The flag keeps everybody from changing or removing the file, its attributes included, who has no right to take the flag off.</remarks>
internal sealed class LocalRetention(TimeProvider time)
{
    private readonly Lock gate = new();
    private RetentionSupport? support;

    /// <summary>Whether files in a folder's file system can be retained by this process; tried once, with a file that is gone afterwards.</summary>
    public RetentionSupport Probe(string folder)
    {
        lock (gate)
            return support ??= Try(Path.Combine(folder, Guid.NewGuid().ToString("N")));
    }

    /// <summary>Sets or prolongs.</summary>
    public void Retain(SafeFileHandle file, DateTimeOffset until)
    {
        lock (gate)
        {
            var isImmutable = ImmutableFlag.IsSet(file);
            var wanted = NoRetention.RoundUp(until);
            if (isImmutable && Read(file) >= wanted)
                return;

            // The attribute of an immutable file cannot change either: the flag goes for a moment.
            if (isImmutable)
                ImmutableFlag.Set(file, false);
            var value = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(value, Later(Read(file), wanted).ToUnixTimeSeconds());
            RetentionAttribute.Write(file, value);
            ImmutableFlag.Set(file, true);
            RandomAccess.FlushToDisk(file);
        }
    }

    /// <summary>Until when a file is retained; null when it is not.</summary>
    public static DateTimeOffset? Find(SafeFileHandle file) => ImmutableFlag.TryIsSet(file) ? Read(file) ?? DateTimeOffset.MaxValue : null;

    /// <summary>Takes the flag off a file whose time is over; false when the file has no flag.</summary>
    /// <exception cref="StoreException">Locked: its time is not over, or this process may not take the flag off.</exception>
    public bool TryEnd(SafeFileHandle file, string name)
    {
        lock (gate)
        {
            if (!ImmutableFlag.TryIsSet(file))
                return false;
            if (Read(file) is not { } until)
                throw new StoreException(StoreErrorKind.Locked, $"'{name}' is marked immutable, and not by Strongroom. Take that off with 'chattr -i', if it shall go.");
            if (time.GetUtcNow() < until)
                throw NoRetention.Retained(name, until);
            try
            {
                ImmutableFlag.Set(file, false);
                return true;
            }
            catch (IOException failure)
            {
                throw new StoreException(
                    StoreErrorKind.Locked, $"'{name}' is still marked immutable though its time is over, and this process may not take that off. Give it CAP_LINUX_IMMUTABLE.", failure);
            }
        }
    }

    private static DateTimeOffset Later(DateTimeOffset? one, DateTimeOffset other) => one > other ? one.Value : other;

    private static DateTimeOffset? Read(SafeFileHandle file) => RetentionAttribute.Read(file) is { Length: 8 } value
        ? DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(BinaryPrimitives.ReadInt64LittleEndian(value), 0, DateTimeOffset.MaxValue.ToUnixTimeSeconds()))
        : null;

    private static RetentionSupport Try(string path)
    {
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        try
        {
            RetentionAttribute.Write(file, new byte[8]);
            ImmutableFlag.Set(file, true);
            ImmutableFlag.Set(file, false);
            return new(true, "the file system's immutable flag");
        }
        catch (IOException failure)
        {
            return new(false, failure.HResult == PosixCalls.Eperm
                ? "this process may not mark files immutable (it lacks CAP_LINUX_IMMUTABLE)"
                : $"the file system does not know immutable files ({failure.Message})");
        }
        finally
        {
            File.Delete(path);
        }
    }
}
