using System.Globalization;
using System.Net;
using Strongroom.Blocks.Iscsi;
using Strongroom.Blocks.Tests.Nbd.Server;

namespace Strongroom.Blocks.Tests.Iscsi;

/// <summary>A server with one target over a disk in memory.</summary>
internal sealed class IscsiLab : IAsyncDisposable
{
    public const string TargetName = "iqn.2026-01.test:disk";
    public const string User = "initiator";
    public const string Secret = "secret-of-user";
    public const string SelfUser = "target";
    public const string SelfSecret = "secret-of-self";

    private readonly TemporaryFolder _folder = new();

    public IscsiLab(byte[] content, bool isReadOnly = false, bool shares = false, Func<IscsiServerOptions, IscsiServerOptions>? change = null, DateTimeOffset? endsAt = null)
    {
        Content = (byte[])content.Clone();
        Disk = new(content);
        var options = new IscsiServerOptions { Listen = new(IPAddress.Loopback, 0), OverlayFolder = _folder.Path };
        Server = IscsiServer.Start(change?.Invoke(options) ?? options);
        IscsiLun[] luns = [new(0, Disk, "SERIAL-0") { IsReadOnly = isReadOnly }, new(5, Disk, "SERIAL-5") { IsReadOnly = isReadOnly }];
        Server.AddTarget(new(TargetName, Credentials, luns) { Self = new(SelfUser, SelfSecret), SharesOverlays = shares, EndsAt = endsAt });
    }

    public static ChapCredentials Credentials { get; } = new(User, Secret);

    /// <summary>What the disk held at the beginning.</summary>
    public byte[] Content { get; }

    public MemoryDisk Disk { get; }

    public IscsiServer Server { get; }

    /// <summary>Files in the folder of overlays.</summary>
    public string[] OverlayFiles => Directory.GetFileSystemEntries(_folder.Path);

    public string UrlOf(int lun, string query = "", string secret = Secret) =>
        string.Create(CultureInfo.InvariantCulture, $"iscsi://{User}%{secret}@{Server.EndPoint}/{TargetName}/{lun}{query}");

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _folder.Dispose();
    }
}
