using System.Runtime.InteropServices;

namespace Strongroom.Workloads.FileShares.Smb.Child;

/// <summary>libsmbclient's functions. Texts are UTF-8 with a zero after them; results below 0 are failures, and the last P/Invoke error says which.</summary>
internal static unsafe partial class SmbCalls
{
    private const string Library = "libsmbclient.so.0";

    [LibraryImport(Library, EntryPoint = "smbc_new_context")]
    public static partial nint NewContext();

    [LibraryImport(Library, EntryPoint = "smbc_init_context", SetLastError = true)]
    public static partial nint InitContext(nint context);

    [LibraryImport(Library, EntryPoint = "smbc_set_context")]
    public static partial nint SetContext(nint context);

    [LibraryImport(Library, EntryPoint = "smbc_setConfiguration", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetConfiguration(nint context, string file);

    [LibraryImport(Library, EntryPoint = "smbc_setTimeout")]
    public static partial void SetTimeout(nint context, int milliseconds);

    [LibraryImport(Library, EntryPoint = "smbc_setOptionDebugToStderr")]
    public static partial void SetDebugToStandardError(nint context, int flag);

    [LibraryImport(Library, EntryPoint = "smbc_setOptionFullTimeNames")]
    public static partial void SetFullTimeNames(nint context, int flag);

    [LibraryImport(Library, EntryPoint = "smbc_setOptionNoAutoAnonymousLogin")]
    public static partial void SetNoAnonymousLogin(nint context, int flag);

    [LibraryImport(Library, EntryPoint = "smbc_setFunctionAuthDataWithContext")]
    public static partial void SetLogin(nint context, delegate* unmanaged[Cdecl]<nint, nint, nint, byte*, int, byte*, int, byte*, int, void> login);

    [LibraryImport(Library, EntryPoint = "smbc_opendir", SetLastError = true)]
    public static partial int OpenFolder(ReadOnlySpan<byte> url);

    [LibraryImport(Library, EntryPoint = "smbc_readdir", SetLastError = true)]
    public static partial byte* ReadFolder(int folder);

    [LibraryImport(Library, EntryPoint = "smbc_readdirplus2", SetLastError = true)]
    public static partial byte* ReadFolder(int folder, Span<byte> stat);

    [LibraryImport(Library, EntryPoint = "smbc_closedir")]
    public static partial int CloseFolder(int folder);

    [LibraryImport(Library, EntryPoint = "smbc_stat", SetLastError = true)]
    public static partial int Stat(ReadOnlySpan<byte> url, Span<byte> stat);

    [LibraryImport(Library, EntryPoint = "smbc_fstat", SetLastError = true)]
    public static partial int Stat(int file, Span<byte> stat);

    [LibraryImport(Library, EntryPoint = "smbc_open", SetLastError = true)]
    public static partial int Open(ReadOnlySpan<byte> url, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "smbc_lseek", SetLastError = true)]
    public static partial long Seek(int file, long offset, int whence);

    [LibraryImport(Library, EntryPoint = "smbc_read", SetLastError = true)]
    public static partial nint Read(int file, Span<byte> buffer, nint count);

    [LibraryImport(Library, EntryPoint = "smbc_write", SetLastError = true)]
    public static partial nint Write(int file, ReadOnlySpan<byte> buffer, nint count);

    [LibraryImport(Library, EntryPoint = "smbc_close", SetLastError = true)]
    public static partial int Close(int file);

    [LibraryImport(Library, EntryPoint = "smbc_rename", SetLastError = true)]
    public static partial int Rename(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to);

    [LibraryImport(Library, EntryPoint = "smbc_unlink", SetLastError = true)]
    public static partial int Unlink(ReadOnlySpan<byte> url);

    [LibraryImport(Library, EntryPoint = "smbc_mkdir", SetLastError = true)]
    public static partial int MakeFolder(ReadOnlySpan<byte> url, uint mode);

    [LibraryImport(Library, EntryPoint = "smbc_chmod", SetLastError = true)]
    public static partial int ChangeMode(ReadOnlySpan<byte> url, uint mode);

    /// <param name="times">Seconds and microseconds of the last access, then of the last write.</param>
    [LibraryImport(Library, EntryPoint = "smbc_utimes", SetLastError = true)]
    public static partial int ChangeTimes(ReadOnlySpan<byte> url, ReadOnlySpan<long> times);

    [LibraryImport(Library, EntryPoint = "smbc_getxattr", SetLastError = true)]
    public static partial int GetAttribute(ReadOnlySpan<byte> url, ReadOnlySpan<byte> name, Span<byte> value, nint length);

    [LibraryImport(Library, EntryPoint = "smbc_setxattr", SetLastError = true)]
    public static partial int SetAttribute(ReadOnlySpan<byte> url, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, nint length, int flags);

    /// <summary>A file of the memory: it has a name below /proc/self/fd.</summary>
    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeMemoryFile(string name, uint flags);
}
