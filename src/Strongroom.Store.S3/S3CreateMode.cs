namespace Strongroom.Store.S3;

/// <summary>How names are made create-only on a server; recorded in <c>backend.json</c> for the life of a vault.</summary>
public enum S3CreateMode
{
    /// <summary>The server honours <c>If-None-Match: *</c> for objects in one request and for multipart uploads.</summary>
    Conditional,

    /// <summary>It does for objects in one request only; nothing is sent in parts.</summary>
    ConditionalWhole,

    /// <summary>It does not; the operator vouches that one process at a time writes, which asks before it creates.</summary>
    SingleWriter,
}
