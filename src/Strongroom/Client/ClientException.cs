namespace Strongroom.Client;

/// <summary>The server's answer cannot be used, or none came; the message is the plain reason that the user reads.</summary>
internal sealed class ClientException : Exception
{
    public ClientException(string message)
        : base(message)
    {
    }

    public ClientException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
