namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>Fills a buffer with the command's data from an offset into them.</summary>
internal delegate ValueTask DataFill(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken);

/// <summary>The data of one command, whatever carries them. One call of one of the two in a command.</summary>
internal interface IDataTransfer
{
    /// <summary>How many bytes of its own the initiator announced.</summary>
    int AnnouncedBytes { get; }

    /// <summary>The initiator's data: as many as asked for, or fewer when it announced fewer. Valid until the command ends.</summary>
    ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(int lengthBytes, CancellationToken cancellationToken);

    /// <summary>Data for the initiator, which gets no more than it announced room for.</summary>
    ValueTask SendAsync(long lengthBytes, DataFill fill, CancellationToken cancellationToken);
}
