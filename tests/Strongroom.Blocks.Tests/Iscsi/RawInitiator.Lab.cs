namespace Strongroom.Blocks.Tests.Iscsi;

internal sealed partial class RawInitiator
{
    public static Task<RawInitiator> ConnectAsync(IscsiLab lab, byte port = 1) => ConnectAsync(lab.Server.EndPoint, port);

    /// <summary>Connects and logs in; the keys are those of the operational stage.</summary>
    public static async Task<RawInitiator> LogInAsync(IscsiLab lab, byte port = 1, params string[] keys)
    {
        var initiator = await ConnectAsync(lab, port);
        var last = await initiator.LogInAsync(keys: keys);
        Assert.Equal(0u, last.Number(36) >> 16);
        return initiator;
    }

    /// <summary>The login to a lab's target.</summary>
    public Task<RawPdu> LogInAsync(string? target = IscsiLab.TargetName, string user = IscsiLab.User, string secret = IscsiLab.Secret, string algorithms = "5", params string[] keys) =>
        LogInToAsync(target, user, secret, algorithms, keys: keys);
}
