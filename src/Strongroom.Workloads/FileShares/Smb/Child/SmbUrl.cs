using System.Buffers;
using System.Text;

namespace Strongroom.Workloads.FileShares.Smb.Child;

/// <summary>Makes the URLs that libsmbclient takes: what has a meaning in them is written as its number.</summary>
internal static class SmbUrl
{
    private static readonly SearchValues<byte> s_plain = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._/"u8);

    /// <param name="path">From the share's folder; names that SMB cannot have are refused before.</param>
    /// <returns>With a zero at the end.</returns>
    public static byte[] Of(string host, ReadOnlySpan<byte> share, ReadOnlySpan<byte> path)
    {
        var url = new ArrayBufferWriter<byte>(256);
        url.Write(Encoding.ASCII.GetBytes($"smb://{host}/"));
        Escape(url, share);
        if (share.Length > 0) url.Write("/"u8);
        Escape(url, path);
        url.Write<byte>([0]);
        return url.WrittenSpan.ToArray();
    }

    private static void Escape(ArrayBufferWriter<byte> url, ReadOnlySpan<byte> text)
    {
        foreach (var one in text)
        {
            if (s_plain.Contains(one)) url.Write<byte>([one]);
            else url.Write(Encoding.ASCII.GetBytes($"%{one:X2}"));
        }
    }
}
