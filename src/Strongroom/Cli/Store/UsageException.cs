namespace Strongroom.Cli.Store;

/// <summary>The user asked for something that cannot be; the message says what to ask for instead.</summary>
internal sealed class UsageException(string message) : Exception(message);
