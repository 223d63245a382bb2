namespace Strongroom.Blocks.Iscsi.Login;

/// <summary>Class and detail of a login's status (RFC 7143, 11.13.5).</summary>
internal enum LoginStatus : ushort
{
    Success = 0x0000,
    InitiatorError = 0x0200,
    AuthenticationFailure = 0x0201,
    AuthorizationFailure = 0x0202,
    NotFound = 0x0203,
    UnsupportedVersion = 0x0205,
    TooManyConnections = 0x0206,
    MissingParameter = 0x0207,
    SessionTypeNotSupported = 0x0209,
    SessionDoesNotExist = 0x020a,
    InvalidDuringLogin = 0x020b,
    TargetError = 0x0300,
    OutOfResources = 0x0302,
}

/// <summary>The login is refused; the connection ends with this status.</summary>
internal sealed class LoginRefusedException(LoginStatus status, string message) : IOException(message)
{
    public LoginStatus Status { get; } = status;
}
