using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Strongroom.Store.Blobs.Conformance;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Blobs;

/// <summary>The conformance suite catches back ends that are broken, each by the rule that is for it.</summary>
public sealed class ConformanceTests
{
    private static readonly Dictionary<string, Func<IBlobBackend>> Mutants = new(StringComparer.Ordinal)
    {
        ["overwrites"] = () => new Overwriting(),
        ["tells every racer that it won"] = () => new Flattering(),
        ["asks before it creates, without a lock"] = () => new Hesitating(),
        ["commits over what is there"] = () => new CommittingOver(),
        ["lists late"] = () => new ListingLate(),
        ["lists without order"] = () => new ListingBackwards(),
        ["lists the first page only"] = () => new ListingOnePage(),
        ["takes a prefix for the beginning of a word"] = () => new ListingNeighbours(),
        ["loses the last byte of large blobs"] = () => new Truncating(),
        ["ignores the offset far out"] = () => new Wrapping(),
        ["reads at most 64 KiB"] = () => new ReadingShort(),
        ["shows blobs half written"] = () => new ShowingHalves(),
        ["keeps abandoned blobs"] = () => new Keeping(),
        ["remembers that something was absent"] = () => new RememberingAbsence(),
        ["does not delete"] = () => new NotDeleting(),
        ["says nothing about what was not there to delete"] = () => new DeletingAnything(),
        ["gives nothing for what is absent"] = () => new ReadingNothing(),
        ["forgets empty blobs"] = () => new ForgettingEmpty(),
        ["forgets who won when asked again"] = () => new ForgettingCommits(),
    };

    public static TheoryData<string, string> Cases => new()
    {
        { "overwrites", "create-only" },
        { "tells every racer that it won", "create-race" },
        { "asks before it creates, without a lock", "create-race" },
        { "commits over what is there", "large-taken" },
        { "lists late", "read-after-create" },
        { "lists without order", "list-order" },
        { "lists the first page only", "list-pages" },
        { "takes a prefix for the beginning of a word", "list-prefix" },
        { "loses the last byte of large blobs", "large" },
        { "ignores the offset far out", "ranges" },
        { "reads at most 64 KiB", "ranges" },
        { "shows blobs half written", "visible-whole" },
        { "keeps abandoned blobs", "abandoned" },
        { "remembers that something was absent", "read-after-create" },
        { "does not delete", "delete" },
        { "says nothing about what was not there to delete", "delete" },
        { "gives nothing for what is absent", "absent" },
        { "forgets empty blobs", "zero-length" },
        { "forgets who won when asked again", "commit-again" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_back_end_that_breaks_a_rule_is_caught_by_it(string mutant, string rule)
    {
        var report = await Conformance.RunAsync(Mutants[mutant]());
        Assert.False(report.IsConforming);
        Assert.Contains(report.Results, result => result.Rule == rule && result.Violation is { Length: > 10 });
    }

    [Fact]
    public async Task A_bent_back_end_that_nobody_bends_keeps_every_rule_and_nothing_stays()
    {
        var backend = new BentBackend();
        await Conformance.RequireAsync(backend);
        Assert.Empty(await backend.Inner.AllAsync(""));
    }

    [Fact]
    public async Task A_place_that_cannot_be_written_is_no_matter_of_rules()
    {
        var full = new FullBackend(new MemoryBackend());
        full.SetRoom(0);
        var failure = await Assert.ThrowsAsync<StoreException>(() => Conformance.RunAsync(full));
        Assert.Equal(StoreErrorKind.Full, failure.Kind);
    }

    [Fact]
    public async Task Every_result_is_told_as_it_comes_and_rules_have_names_of_their_own()
    {
        var told = new ConcurrentQueue<ConformanceResult>();
        var report = await BackendConformance.RunAsync(
            new MemoryBackend(), Conformance.Quick, TimeProvider.System, new Teller(told.Enqueue), TestContext.Current.CancellationToken);
        Assert.Equal(report.Results, told);
        Assert.Equal(report.Results.Count, report.Results.Select(result => result.Rule).Distinct().Count());
    }

    private sealed class Teller(Action<ConformanceResult> tell) : IProgress<ConformanceResult>
    {
        public void Report(ConformanceResult value) => tell(value);
    }

    private sealed class Overwriting : BentBackend
    {
        public override async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            var isNew = !await Inner.DeleteAsync(name, cancellationToken);
            await Inner.PutIfAbsentAsync(name, content, cancellationToken);
            return isNew;
        }
    }

    private sealed class Flattering : BentBackend
    {
        public override async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            await Inner.PutIfAbsentAsync(name, content, cancellationToken);
            return true;
        }
    }

    private sealed class Hesitating : BentBackend
    {
        public override async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            if (await Inner.GetLengthAsync(name, cancellationToken) is not null)
                return false;
            await Task.Delay(1, cancellationToken);
            await Inner.DeleteAsync(name, cancellationToken);
            await Inner.PutIfAbsentAsync(name, content, cancellationToken);
            return true;
        }
    }

    private sealed class CommittingOver : BentBackend
    {
        protected override async ValueTask<bool> CommitAsync(string name, IBlobWriter inner, CancellationToken cancellationToken)
        {
            if (inner.LengthBytes > 1 << 20)
                await Inner.DeleteAsync(name, cancellationToken);
            return await inner.CommitAsync(cancellationToken);
        }
    }

    private sealed class ListingLate : BentBackend
    {
        private readonly ConcurrentQueue<string> created = new();

        public override async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            created.Enqueue(name);
            return await Inner.PutIfAbsentAsync(name, content, cancellationToken);
        }

        public override async IAsyncEnumerable<BlobInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            var newest = created.LastOrDefault();
            await foreach (var blob in Inner.ListAsync(prefix, cancellationToken))
            {
                if (blob.Name != newest)
                    yield return blob;
            }
        }
    }

    private sealed class ListingBackwards : BentBackend
    {
        public override async IAsyncEnumerable<BlobInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            foreach (var blob in Enumerable.Reverse(await Inner.AllAsync(prefix)))
                yield return blob;
        }
    }

    private sealed class ListingOnePage : BentBackend
    {
        public override IAsyncEnumerable<BlobInfo> ListAsync(string prefix, CancellationToken cancellationToken) => Inner.ListAsync(prefix, cancellationToken).Take(100);
    }

    private sealed class ListingNeighbours : BentBackend
    {
        public override IAsyncEnumerable<BlobInfo> ListAsync(string prefix, CancellationToken cancellationToken) => Inner.ListAsync(prefix.TrimEnd('/'), cancellationToken);
    }

    private sealed class Truncating : BentBackend
    {
        public override async ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken) =>
            await Inner.GetLengthAsync(name, cancellationToken) is { } length ? length > 1 << 20 ? length - 1 : length : null;
    }

    private sealed class Wrapping : BentBackend
    {
        public override ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
            Inner.ReadAsync(name, (int)(offsetBytes & 0x7FFF_FFFF), buffer, cancellationToken);
    }

    private sealed class ReadingShort : BentBackend
    {
        public override ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
            Inner.ReadAsync(name, offsetBytes, buffer[..Math.Min(buffer.Length, 64 << 10)], cancellationToken);
    }

    private sealed class ShowingHalves : BentBackend
    {
        public override async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            if (content.Length < 1 << 20)
                return await Inner.PutIfAbsentAsync(name, content, cancellationToken);
            await Inner.PutIfAbsentAsync(name, content[..(content.Length / 2)], cancellationToken);
            await Task.Delay(20, cancellationToken);
            await Inner.DeleteAsync(name, cancellationToken);
            return await Inner.PutIfAbsentAsync(name, content, cancellationToken);
        }
    }

    private sealed class Keeping : BentBackend
    {
        protected override async ValueTask EndAsync(string name, IBlobWriter inner) => await inner.CommitAsync(CancellationToken.None);
    }

    private sealed class RememberingAbsence : BentBackend
    {
        private readonly ConcurrentDictionary<string, byte> absent = [];

        public override async ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken)
        {
            if (absent.ContainsKey(name))
                return null;
            var length = await Inner.GetLengthAsync(name, cancellationToken);
            if (length is null)
                absent[name] = 0;
            return length;
        }
    }

    private sealed class NotDeleting : BentBackend
    {
        public override async ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) =>
            await Inner.GetLengthAsync(name, cancellationToken) is not null;
    }

    private sealed class DeletingAnything : BentBackend
    {
        public override async ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
        {
            await Inner.DeleteAsync(name, cancellationToken);
            return true;
        }
    }

    private sealed class ReadingNothing : BentBackend
    {
        public override async ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
            await Inner.GetLengthAsync(name, cancellationToken) is null ? 0 : await Inner.ReadAsync(name, offsetBytes, buffer, cancellationToken);
    }

    private sealed class ForgettingEmpty : BentBackend
    {
        public override async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            content.Length == 0 || await Inner.PutIfAbsentAsync(name, content, cancellationToken);
    }

    private sealed class ForgettingCommits : BentBackend
    {
        protected override async ValueTask<bool> CommitAsync(string name, IBlobWriter inner, CancellationToken cancellationToken) =>
            await Inner.GetLengthAsync(name, cancellationToken) is null && await inner.CommitAsync(cancellationToken);
    }
}
