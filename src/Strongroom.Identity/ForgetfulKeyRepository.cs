using System.Collections.Concurrent;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Strongroom.Identity;

/// <summary>
/// Keeps ASP.NET Core's data protection keys in memory. The framework makes such keys whenever authentication is added, in
/// the home folder of whoever runs the server; nothing here uses them, and a server writes nowhere but in its own folder.
/// Whoever does need them configures a repository after this one. Thread-safe.
/// </summary>
internal sealed class ForgetfulKeyRepository : IXmlRepository
{
    private readonly ConcurrentQueue<XElement> elements = new();

    public IReadOnlyCollection<XElement> GetAllElements() => [.. elements.Select(element => new XElement(element))];

    public void StoreElement(XElement element, string friendlyName) => elements.Enqueue(new XElement(element));
}
