namespace Strongroom.Hosting;

/// <summary>The data folder cannot be used. The message is for the operator and says what to do.</summary>
internal sealed class DataFolderException(string message, Exception? inner) : IOException(message, inner);
