using System.Xml.Linq;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>Where a domain's consoles, channels and screens lead to on its host.</summary>
internal static class PortElements
{
    // Kinds that lead to nothing which another machine could have, too.
    private static readonly string[] Harmless = ["pty", "spicevmc", "qemu-vdagent", "null", "vc", "dbus"];

    /// <summary>Lets libvirt choose anew: no file, no socket, no fixed port, no password.</summary>
    public static void Reset(XElement devices)
    {
        devices.Descendants("log").Remove();
        foreach (var port in devices.Elements().Where(device => device.Name.LocalName is "serial" or "console" or "parallel" or "channel").ToList()) ResetPort(port);
        foreach (var screen in devices.Elements("graphics").Where(screen => (string?)screen.Attribute("type") is "vnc" or "spice")) ResetScreen(screen);
    }

    private static void ResetPort(XElement port)
    {
        var isChannel = port.Name.LocalName == "channel";
        if (isChannel && (string?)port.Element("target")?.Attribute("type") is not ("virtio" or "xen"))
        {
            // It forwards from the guest's network to somewhere on the host.
            port.Remove();
            return;
        }

        port.SetAttributeValue("tty", null);
        port.Elements().Where(element => element.Name.LocalName is "source" or "protocol").Remove();
        if (!Harmless.Contains((string?)port.Attribute("type"))) port.SetAttributeValue("type", isChannel ? "unix" : "pty");
    }

    private static void ResetScreen(XElement screen)
    {
        if (screen.Attribute("passwd") is not null)
        {
            // Without its password it must not be open to whoever reached it before: libvirt's own default is loopback.
            screen.SetAttributeValue("listen", null);
            screen.Elements("listen").Remove();
        }

        foreach (var name in (string[])["port", "tlsPort", "websocket", "socket", "passwd", "passwdValidTo", "connected"]) screen.SetAttributeValue(name, null);
        screen.SetAttributeValue("autoport", "yes");
        foreach (var listen in screen.Elements("listen")) listen.SetAttributeValue("socket", null);
    }
}
