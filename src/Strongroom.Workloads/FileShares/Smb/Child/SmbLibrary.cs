using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Workloads.FileShares.Smb.Child;

/// <summary>libsmbclient, made ready for this process's one connection.</summary>
internal static unsafe class SmbLibrary
{
    private const int TimeLimitMilliseconds = 30_000;

    // Without these smbc_chmod sets two of the four attributes only. What the machine's smb.conf says otherwise stays.
    private const string Settings = "[global]\n  map archive = yes\n  map hidden = yes\n  map system = yes\n";

    private static byte[] s_domain = [], s_user = [], s_password = [];

    /// <exception cref="DllNotFoundException">It is not installed.</exception>
    /// <exception cref="SmbCallException">It does not come up.</exception>
    public static void Start(byte[] domain, byte[] user, byte[] password)
    {
        (s_domain, s_user, s_password) = (domain, user, password);
        var context = SmbCalls.NewContext();
        if (context == 0) throw new SmbCallException(Marshal.GetLastPInvokeError());
        SmbCalls.SetDebugToStandardError(context, 1);
        SmbCalls.SetFullTimeNames(context, 1);
        SmbCalls.SetNoAnonymousLogin(context, 1);
        SmbCalls.SetTimeout(context, TimeLimitMilliseconds);
        SmbCalls.SetLogin(context, &Login);
        if (SmbCalls.InitContext(context) == 0) throw new SmbCallException(Marshal.GetLastPInvokeError());
        SmbCalls.SetContext(context);
        Configure(context);
    }

    private static void Configure(nint context)
    {
        using var file = new SafeFileHandle(SmbCalls.MakeMemoryFile("smb.conf", 0), ownsHandle: true);
        RandomAccess.Write(file, Encoding.ASCII.GetBytes(Settings), 0);
        _ = SmbCalls.SetConfiguration(context, $"/proc/self/fd/{file.DangerousGetHandle()}");
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Login(nint context, nint server, nint share, byte* domain, int domainLength, byte* user, int userLength, byte* password, int passwordLength)
    {
        Copy(s_domain, domain, domainLength);
        Copy(s_user, user, userLength);
        Copy(s_password, password, passwordLength);
    }

    private static void Copy(byte[] text, byte* target, int length)
    {
        // An empty domain is the library's own choice.
        if (text.Length == 0 || length <= text.Length) return;
        text.CopyTo(new Span<byte>(target, length));
        target[text.Length] = 0;
    }
}
