using System.Globalization;
using System.Text;

namespace Strongroom.Store.AzureBlob;

/// <summary>A blob that goes as blocks, which are invisible until their list is committed.</summary>
internal sealed class AzureBlobWriter(AzureBlobs blobs, string name) : SpooledBlobWriter(blobs.Options.BlockLengthBytes, blobs.Options.ConcurrentBlocks, (long)GreatestBlocks * blobs.Options.BlockLengthBytes)
{
    // REST API, "Put Block List": the most blocks of a blob.
    private const int GreatestBlocks = 50_000;
    private readonly string nonce = AzureBlobs.NewNonce();

    protected override Task<bool> CreateWholeAsync(Stream content, CancellationToken cancellationToken) =>
        blobs.PutAsync(name, content, nonce, cancellationToken);

    protected override Task SendPartAsync(int index, Stream content, CancellationToken cancellationToken) =>
        blobs.StageAsync(name, BlockIdOf(index), content, cancellationToken);

    protected override Task<bool> CommitPartsAsync(int count, CancellationToken cancellationToken) =>
        blobs.CommitAsync(name, Enumerable.Range(0, count).Select(BlockIdOf), nonce, cancellationToken);

    // The service forgets uncommitted blocks within a week, or when the name is created.
    protected override Task AbandonPartsAsync() => Task.CompletedTask;

    // Writers of one name share its uncommitted blocks: the nonce keeps theirs apart. All ids of a blob have one length.
    private string BlockIdOf(int index) => Convert.ToBase64String(Encoding.ASCII.GetBytes(nonce + index.ToString("d6", CultureInfo.InvariantCulture)));
}
