using System.Buffers.Binary;

namespace Strongroom.Blocks.Iscsi.Scsi;

/// <summary>RESERVE(6), RELEASE(6) (SPC-2, 7.16 and 7.21), PERSISTENT RESERVE IN and OUT (SPC-4, 6.15 and 6.16).</summary>
internal static class ReservationCommands
{
    private const int ParameterBytes = 24;

    public static ValueTask<ScsiResult> Reserve6(ScsiCommand command, CancellationToken cancellationToken)
    {
        RequireWholeUnit(command);
        command.Unit.Reservations.ReserveLegacy(command.Nexus);
        return ValueTask.FromResult(ScsiResult.Good);
    }

    public static ValueTask<ScsiResult> Release6(ScsiCommand command, CancellationToken cancellationToken)
    {
        RequireWholeUnit(command);
        command.Unit.Reservations.ReleaseLegacy(command.Nexus);
        return ValueTask.FromResult(ScsiResult.Good);
    }

    public static ValueTask<ScsiResult> ReadKeys(ScsiCommand command, CancellationToken cancellationToken)
    {
        var (generation, keys, _, _) = command.Unit.Reservations.Snapshot();
        var data = Header(generation, 8 * keys.Count);
        for (var index = 0; index < keys.Count; index++)
            BinaryPrimitives.WriteUInt64BigEndian(data.AsSpan(8 + (8 * index)), keys[index].Value);
        return command.AnswerAsync(data, command.Number16(7), cancellationToken);
    }

    public static ValueTask<ScsiResult> ReadReservation(ScsiCommand command, CancellationToken cancellationToken)
    {
        var (generation, keys, type, holder) = command.Unit.Reservations.Snapshot();
        var data = Header(generation, type is null ? 0 : 16);
        if (type is { } held)
        {
            var key = held.IsHeldByAll ? 0 : keys.FirstOrDefault(pair => pair.Key == holder).Value;
            BinaryPrimitives.WriteUInt64BigEndian(data.AsSpan(8), key);
            data[21] = held.Code;
        }

        return command.AnswerAsync(data, command.Number16(7), cancellationToken);
    }

    /// <summary>Every type; one port only; nothing is kept over a loss of power.</summary>
    public static ValueTask<ScsiResult> ReportCapabilities(ScsiCommand command, CancellationToken cancellationToken)
    {
        const byte typeMaskIsValid = 0x80;
        return command.AnswerAsync([0, 8, 0, typeMaskIsValid, 0xea, 0x01, 0, 0], command.Number16(7), cancellationToken);
    }

    public static ValueTask<ScsiResult> ReadFullStatus(ScsiCommand command, CancellationToken cancellationToken)
    {
        var (generation, keys, type, holder) = command.Unit.Reservations.Snapshot();
        var list = new List<byte>();
        foreach (var (nexus, key) in keys)
        {
            var id = nexus.TransportId();
            var descriptor = new byte[24 + id.Length];
            BinaryPrimitives.WriteUInt64BigEndian(descriptor, key);
            if (type is { } held && (held.IsHeldByAll || holder == nexus))
                (descriptor[12], descriptor[13]) = (1, held.Code);
            BinaryPrimitives.WriteUInt16BigEndian(descriptor.AsSpan(18), 1); // relative target port
            BinaryPrimitives.WriteUInt32BigEndian(descriptor.AsSpan(20), (uint)id.Length);
            id.CopyTo(descriptor, 24);
            list.AddRange(descriptor);
        }

        byte[] data = [.. Header(generation, list.Count)[..8], .. list];
        return command.AnswerAsync(data, command.Number16(7), cancellationToken);
    }

    public static async ValueTask<ScsiResult> Register(ScsiCommand command, CancellationToken cancellationToken)
    {
        const byte ignoringKey = 0x06;
        var ignores = (command.Cdb[1] & 0x1f) == ignoringKey;
        var (key, newKey) = await ReceiveKeysAsync(command, cancellationToken).ConfigureAwait(false);
        command.Unit.Reservations.Register(command.Nexus, ignores ? null : key, newKey, command.Unit.Attentions);
        return ScsiResult.Good;
    }

    public static async ValueTask<ScsiResult> Reserve(ScsiCommand command, CancellationToken cancellationToken)
    {
        var type = ReservationType.Parse(command.Cdb[2]);
        var (key, _) = await ReceiveKeysAsync(command, cancellationToken).ConfigureAwait(false);
        command.Unit.Reservations.Reserve(command.Nexus, key, type);
        return ScsiResult.Good;
    }

    public static async ValueTask<ScsiResult> Release(ScsiCommand command, CancellationToken cancellationToken)
    {
        var type = ReservationType.Parse(command.Cdb[2]);
        var (key, _) = await ReceiveKeysAsync(command, cancellationToken).ConfigureAwait(false);
        command.Unit.Reservations.Release(command.Nexus, key, type, command.Unit.Attentions);
        return ScsiResult.Good;
    }

    public static async ValueTask<ScsiResult> Clear(ScsiCommand command, CancellationToken cancellationToken)
    {
        var (key, _) = await ReceiveKeysAsync(command, cancellationToken).ConfigureAwait(false);
        command.Unit.Reservations.Clear(command.Nexus, key, command.Unit.Attentions);
        return ScsiResult.Good;
    }

    public static async ValueTask<ScsiResult> Preempt(ScsiCommand command, CancellationToken cancellationToken)
    {
        var type = ReservationType.Parse(command.Cdb[2]);
        var (key, victim) = await ReceiveKeysAsync(command, cancellationToken).ConfigureAwait(false);
        command.Unit.Reservations.Preempt(command.Nexus, key, victim, type, command.Unit.Attentions);
        return ScsiResult.Good;
    }

    /// <summary>Extents and third parties are of the past.</summary>
    private static void RequireWholeUnit(ScsiCommand command)
    {
        if ((command.Cdb[1] & 0x1f) != 0)
            throw new ScsiException(Sense.InvalidFieldInCdb);
    }

    private static async ValueTask<(ulong Key, ulong ServiceActionKey)> ReceiveKeysAsync(ScsiCommand command, CancellationToken cancellationToken)
    {
        const byte specifiesPorts = 0x08;
        const byte activatesThroughPowerLoss = 0x01;
        if (command.Number32(5) != ParameterBytes)
            throw new ScsiException(Sense.ParameterListLength);
        var list = await command.ReceiveAllAsync(ParameterBytes, cancellationToken).ConfigureAwait(false);
        if ((list.Span[20] & (specifiesPorts | activatesThroughPowerLoss)) != 0)
            throw new ScsiException(Sense.InvalidFieldInParameters);
        return (BinaryPrimitives.ReadUInt64BigEndian(list.Span), BinaryPrimitives.ReadUInt64BigEndian(list.Span[8..]));
    }

    private static byte[] Header(uint generation, int followingBytes)
    {
        var data = new byte[8 + followingBytes];
        BinaryPrimitives.WriteUInt32BigEndian(data, generation);
        BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(4), (uint)followingBytes);
        return data;
    }
}
