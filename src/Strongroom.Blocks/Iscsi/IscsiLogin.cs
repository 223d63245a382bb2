using System.Net;

namespace Strongroom.Blocks.Iscsi;

/// <summary>An attempt to log in.</summary>
/// <param name="From">The other end of the connection.</param>
/// <param name="InitiatorName">What the initiator calls itself, whatever that is; null: it did not come to that.</param>
/// <param name="TargetName">What it wants; null in a discovery.</param>
/// <param name="Refusal">Why it was refused; null: it is in.</param>
public sealed record IscsiLogin(EndPoint? From, string? InitiatorName, string? TargetName, string? Refusal);
