using Strongroom.Store.Collection;
using Strongroom.Store.Keys;
using Strongroom.Store.Packs;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Collection;

public sealed class RelocationEpochTests
{
    [Fact]
    public async Task A_table_is_of_one_epoch_though_another_begins_while_it_is_written()
    {
        var ring = KeyRing.Generate(Guid.NewGuid());
        var backend = new RotatingBackend(ring);
        var id = new RelocationTableId(7, 9);
        var record = new Relocation(1, 2, 3, 4, 5, 6, ChunkCodec.Zstd);
        await RelocationFormat.WriteAsync(backend, ring, id, [record], CancellationToken.None);
        Assert.Equal(2u, ring.CurrentEpoch);
        var table = await RelocationTable.OpenAsync(backend, ring, id, CancellationToken.None);
        Assert.Equal(record, await table.FindAsync(1, 2, CancellationToken.None));
    }

    /// <summary>A storage that takes so long to begin a blob that the keys are rotated meanwhile.</summary>
    private sealed class RotatingBackend(KeyRing ring) : BentBackend
    {
        public override ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken)
        {
            ring.Adopt(ring.WithNextEpoch(1));
            return base.CreateAsync(name, cancellationToken);
        }
    }
}
