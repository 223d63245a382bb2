using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Store.Trees;

/// <summary>Extended attributes of files, POSIX ACLs among them.</summary>
internal static class AttributeCalls
{
    private const int GreatestNamesLengthBytes = 64 << 10;
    private const int GreatestValueLengthBytes = 64 << 10;

    private static readonly byte[] AccessListName = "system.posix_acl_access\0"u8.ToArray();
    private static readonly byte[] DefaultListName = "system.posix_acl_default\0"u8.ToArray();

    private delegate nint ListCall(Span<byte> result);

    private delegate nint GetCall(ReadOnlySpan<byte> name, Span<byte> result);

    public static IReadOnlyList<ExtendedAttribute> Read(SafeFileHandle file) => Read(
        result => LinuxCalls.ListAttributes(file, result, result.Length), (name, result) => LinuxCalls.GetAttribute(file, name, result, result.Length));

    /// <summary>Of something that cannot be opened: a symbolic link or a device.</summary>
    public static IReadOnlyList<ExtendedAttribute> Read(FolderHandle folder, ReadOnlySpan<byte> name)
    {
        var path = PathOf(folder, name);
        return Read(
            result => LinuxCalls.ListAttributes(path, result, result.Length),
            (attribute, result) => LinuxCalls.GetAttribute(path, attribute, result, result.Length));
    }

    /// <summary>True for ACLs and capabilities, which a change of owner or mode would change; all others need the right to write that the mode may take away.</summary>
    public static bool FollowsMode(ExtendedAttribute attribute) =>
        attribute.Name.Span.StartsWith("system."u8) || attribute.Name.Span.StartsWith("security."u8);

    /// <summary>False when the file system or our rights do not allow it.</summary>
    public static bool TrySet(SafeFileHandle file, ExtendedAttribute attribute) =>
        IsAllowed(LinuxCalls.SetAttribute(file, LinuxCalls.Terminated(attribute.Name.Span), attribute.Value.Span, attribute.Value.Length, 0));

    public static bool TrySet(FolderHandle folder, ReadOnlySpan<byte> name, ExtendedAttribute attribute) => IsAllowed(LinuxCalls.SetAttribute(
        PathOf(folder, name), LinuxCalls.Terminated(attribute.Name.Span), attribute.Value.Span, attribute.Value.Length, 0));

    /// <summary>Sets an attribute without a value where that can be done.</summary>
    public static void MarkIfPossible(SafeFileHandle file, byte[] terminatedName) => LinuxCalls.SetAttribute(file, terminatedName, [], 0, 0);

    public static bool IsThere(SafeFileHandle file, byte[] terminatedName) => LinuxCalls.GetAttribute(file, terminatedName, [], 0) >= 0;

    public static void RemoveIfThere(SafeFileHandle file, byte[] terminatedName)
    {
        // Asked first: to take away what is not there would be a change of the file.
        if (IsThere(file, terminatedName) && LinuxCalls.RemoveAttribute(file, terminatedName) != 0)
            throw LinuxCalls.Failure("removexattr");
    }

    /// <summary>Takes away the ACLs that a new file has from its folder's default, so far as they are not its own.</summary>
    public static void RemoveInherited(SafeFileHandle file, TreeEntry entry)
    {
        foreach (var name in InheritedNames(entry))
            RemoveIfThere(file, name);
    }

    /// <inheritdoc cref="RemoveInherited(SafeFileHandle, TreeEntry)"/>
    public static void RemoveInherited(FolderHandle folder, ReadOnlySpan<byte> name, TreeEntry entry)
    {
        var path = PathOf(folder, name);
        foreach (var attribute in InheritedNames(entry))
        {
            if (LinuxCalls.GetAttribute(path, attribute, [], 0) >= 0 && LinuxCalls.RemoveAttribute(path, attribute) != 0)
                throw LinuxCalls.Failure("removexattr");
        }
    }

    private static IEnumerable<byte[]> InheritedNames(TreeEntry entry)
    {
        if (!Has(entry, "system.posix_acl_access"u8))
            yield return AccessListName;
        if (entry.Kind == TreeEntryKind.Folder && !Has(entry, "system.posix_acl_default"u8))
            yield return DefaultListName;
    }

    private static bool Has(TreeEntry entry, ReadOnlySpan<byte> name)
    {
        foreach (var attribute in entry.Attributes)
        {
            if (attribute.Name.Span.SequenceEqual(name))
                return true;
        }

        return false;
    }

    private static IReadOnlyList<ExtendedAttribute> Read(ListCall list, GetCall get)
    {
        // Most files have none, and then the first call is the only one.
        Span<byte> names = stackalloc byte[1024];
        var length = list(names);
        if (length < 0 && Marshal.GetLastPInvokeError() == LinuxCalls.RangeError)
        {
            names = new byte[GreatestNamesLengthBytes];
            length = list(names);
        }

        if (length < 0)
            return Marshal.GetLastPInvokeError() == LinuxCalls.NotSupported ? [] : throw LinuxCalls.Failure("listxattr");
        var found = new List<ExtendedAttribute>();
        for (var rest = names[..(int)length]; rest.Length > 0;)
        {
            var end = rest.IndexOf((byte)0);
            if (end < 0)
                break;
            if (end > 0 && !UnfinishedFolders.IsMark(rest[..end]) && ReadValue(get, rest[..(end + 1)]) is { } value)
                found.Add(new(rest[..end].ToArray(), value));
            rest = rest[(end + 1)..];
        }

        found.Sort((a, b) => a.Name.Span.SequenceCompareTo(b.Name.Span));
        return found;
    }

    private static byte[]? ReadValue(GetCall get, ReadOnlySpan<byte> name)
    {
        Span<byte> value = stackalloc byte[1024];
        var length = get(name, value);
        if (length < 0 && Marshal.GetLastPInvokeError() == LinuxCalls.RangeError)
        {
            value = new byte[GreatestValueLengthBytes];
            length = get(name, value);
        }

        if (length >= 0)
            return value[..(int)length].ToArray();

        // Removed meanwhile, or listed and not to be had, as some security modules do.
        return Marshal.GetLastPInvokeError() is LinuxCalls.NoData or LinuxCalls.NotSupported or LinuxCalls.NotPermitted
            ? null
            : throw LinuxCalls.Failure("getxattr");
    }

    private static bool IsAllowed(int result)
    {
        if (result == 0)
            return true;
        var error = Marshal.GetLastPInvokeError();
        return error is LinuxCalls.NotPermitted or LinuxCalls.NoAccess or LinuxCalls.NotSupported or LinuxCalls.Invalid or LinuxCalls.RangeError
            ? false
            : throw LinuxCalls.Failure("setxattr", error);
    }

    /// <summary>The kernel's own name of an open folder, then the entry: only that last step is by name, and these calls do not follow it.</summary>
    private static byte[] PathOf(FolderHandle folder, ReadOnlySpan<byte> name) =>
        [.. Encoding.ASCII.GetBytes($"/proc/self/fd/{folder.Handle.DangerousGetHandle()}/"), .. name, 0];
}
