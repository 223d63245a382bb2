namespace Strongroom.Blocks.Iscsi.Pdus;

/// <summary>How a PDU of the target's stands to StatSN.</summary>
internal enum StatusNumber
{
    /// <summary>It has none: data without a status.</summary>
    None,

    /// <summary>It shows the next one without taking it: R2T, and NOP-In that nobody asked for.</summary>
    Shown,

    /// <summary>It takes one: every status.</summary>
    Taken,
}

/// <summary>Sends PDUs, one at a time, with the numbers that the moment of sending decides. Safe from many threads.</summary>
internal sealed class PduSender(BufferedWire wire, CommandWindow window) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private uint _statusSn = 1; // guarded by _turn

    public bool HasHeaderDigest { get; set; }

    public bool HasDataDigest { get; set; }

    /// <summary>Sends it and gives its memory back.</summary>
    public async Task SendAsync(OutgoingPdu pdu, StatusNumber number, CancellationToken cancellationToken)
    {
        using (pdu)
        {
            await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (number != StatusNumber.None)
                    pdu.Set(24, _statusSn);
                if (number == StatusNumber.Taken)
                    _statusSn++;
                var (expected, most) = window.Snapshot();
                pdu.Set(28, expected).Set(32, most);
                await wire.WriteAsync(pdu.Seal(HasHeaderDigest, HasDataDigest), cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                _turn.Release();
            }
        }
    }

    public void Dispose() => _turn.Dispose();
}
