namespace Strongroom.Store.Log;

/// <summary>One thing that the log is about, replayed: it knows its own types of entry and its own section of a checkpoint.</summary>
/// <remarks>Changed under the log's lock only. A concern that must ask another one takes it in its constructor.</remarks>
internal interface ILogConcern
{
    /// <summary>Names its section of a checkpoint; a number of the format.</summary>
    ushort Section { get; }

    /// <summary>Takes an entry in; false when entries of this type say nothing to it.</summary>
    bool TryApply(LogEntry entry);

    /// <summary>Writes what a reader that begins at the checkpoint must know.</summary>
    void WriteSection(PayloadWriter target);

    /// <summary>Reads what <see cref="WriteSection"/> wrote, into a fresh state or, where a process writes a checkpoint or meets one later, into one that went the same way.</summary>
    void ReadSection(ref PayloadReader source);
}
