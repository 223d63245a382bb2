using Strongroom.Store.Collection;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Fuzz.Targets;

/// <summary>A relocation table as a disk would change it.</summary>
internal sealed class RelocationTarget : FuzzTarget
{
    private static readonly RelocationTableId Id = new(5, 7);

    public override string Name => "relocation-table";

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var backend = new MemoryBackend();
            var task = RelocationFormat.WriteAsync(backend, Harness.Ring, Id, [new(1, 2, 3, 4, 64, 100, ChunkCodec.Raw)], CancellationToken.None);
            Finish(new ValueTask(task));
            var content = new byte[Finish(backend.GetLengthAsync(Id.Name, CancellationToken.None))!.Value];
            _ = Finish(backend.ReadAsync(Id.Name, 0, content, CancellationToken.None));
            yield return content;
        }
    }

    public override void Run(byte[] input)
    {
        var table = Finish(RelocationTable.OpenAsync(Harness.Backend(Id.Name, input), Harness.Ring, Id, CancellationToken.None));
        _ = Finish(table.FindAsync(1, 2, CancellationToken.None));
    }
}
