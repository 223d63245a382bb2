using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.Machines;

namespace Strongroom.Api.Tests.Support;

/// <summary>Accepts hosts of kind Folder below /srv/machines, whether the folder is there or not.</summary>
public sealed class FakeFolders : IHostValidator
{
    public string Kind => "Folder";

    public JsonObject Accept(JsonObject sent) => sent.RequiredText("path") is var path && path.StartsWith("/srv/machines", StringComparison.Ordinal)
        ? new() { ["path"] = path }
        : throw new HostRefusedException("path", "HostPathNotAllowed", "The path is not below a folder that the operator allowed with --allow-path.");
}
