namespace Strongroom.Store.Tests.Blobs;

public sealed class SpooledBlobWriterTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_the_storage_would_not_take_is_refused_before_anything_is_sent()
    {
        await using var writer = new Writer(partLengthBytes: 0, greatestLengthBytes: 1000);
        await writer.AppendAsync(new byte[1000], Token);
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await writer.AppendAsync(new byte[1], Token));
        Assert.Equal(StoreErrorKind.InvalidRequest, failure.Kind);
        Assert.Contains("1000 bytes", failure.Message, StringComparison.Ordinal);
        Assert.Empty(writer.Sent);
        Assert.True(await writer.CommitAsync(Token));
        Assert.Equal([1000], writer.Sent);
    }

    [Fact]
    public async Task Parts_go_while_more_is_appended_and_what_is_one_part_goes_whole()
    {
        await using var writer = new Writer(partLengthBytes: 300, greatestLengthBytes: 1000);
        await writer.AppendAsync(new byte[300], Token);
        Assert.Empty(writer.Sent);
        await writer.AppendAsync(new byte[500], Token);
        Assert.Equal([300, 300], writer.Sent);
        Assert.True(await writer.CommitAsync(Token));
        Assert.Equal([300, 300, 200], writer.Sent);
    }

    private sealed class Writer(int partLengthBytes, long greatestLengthBytes) : SpooledBlobWriter(partLengthBytes, 1, greatestLengthBytes)
    {
        public List<long> Sent { get; } = [];

        protected override Task<bool> CreateWholeAsync(Stream content, CancellationToken cancellationToken)
        {
            Sent.Add(content.Length);
            return Task.FromResult(true);
        }

        protected override Task SendPartAsync(int index, Stream content, CancellationToken cancellationToken)
        {
            Sent.Add(content.Length);
            return Task.CompletedTask;
        }

        protected override Task<bool> CommitPartsAsync(int count, CancellationToken cancellationToken) => Task.FromResult(true);

        protected override Task AbandonPartsAsync() => Task.CompletedTask;
    }
}
