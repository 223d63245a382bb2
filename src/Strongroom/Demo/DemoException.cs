namespace Strongroom.Demo;

/// <summary>The demo cannot go on; the message is the plain reason that the user reads.</summary>
internal sealed class DemoException : Exception
{
    public DemoException(string message)
        : base(message)
    {
    }

    public DemoException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
