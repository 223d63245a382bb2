using Microsoft.Extensions.Time.Testing;
using Strongroom.Api.FileBrowsing;

namespace Strongroom.Api.Tests.FileBrowsing;

/// <summary>Downloads whose receivers are slow, by a clock of the test's own.</summary>
public sealed class PacedStreamTests
{
    [Theory]
    [InlineData(65536, 0.9, 100, false)]
    [InlineData(65536, 2, 14, false)]
    [InlineData(65536, 2, 20, true)]
    [InlineData(512, 16, 1, true)]
    public async Task Who_takes_less_than_the_rate_is_cut_after_the_grace(int bytes, double seconds, int times, bool isCut)
    {
        var time = new FakeTimeProvider();
        var cuts = 0;
        await using var paced = new PacedStream(new SlowStream(() => time.Advance(TimeSpan.FromSeconds(seconds))), time, () => cuts++);
        for (var i = 0; i < times && cuts == 0; i++) await paced.WriteAsync(new byte[bytes], TestContext.Current.CancellationToken);
        Assert.Equal(isCut ? 1 : 0, cuts);
    }

    [Fact]
    public async Task What_was_taken_fast_is_no_leave_to_rest()
    {
        var time = new FakeTimeProvider();
        var (cuts, wait) = (0, TimeSpan.Zero);
        await using var paced = new PacedStream(new SlowStream(() => time.Advance(wait)), time, () => cuts++);
        for (var i = 0; i < 100; i++) await paced.WriteAsync(new byte[1 << 20], TestContext.Current.CancellationToken);
        wait = TimeSpan.FromSeconds(16);
        await paced.WriteAsync(new byte[512], TestContext.Current.CancellationToken);
        Assert.Equal(1, cuts);
    }

    private sealed class SlowStream(Action wait) : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            wait();
            return ValueTask.CompletedTask;
        }
    }
}
