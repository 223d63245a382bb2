using Strongroom.Store.Log;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Keys;

/// <summary>Changes of the keys by several processes, one of which overtakes the other at a given step.</summary>
public sealed class KeyRaceTests
{
    private readonly MeetingBackend meeting = new();

    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Data_keys_made_while_another_process_adds_a_key_are_not_lost(int rotations)
    {
        await using var one = await TestVault.CreateAsync(meeting.Inner);
        await using var two = await TestVault.OpenAsync(meeting);
        var disk = new SparseDisk(1 << 20);
        disk.Write(0, TestVault.Noise(1, 300_000));
        Snapshot? snapshot = null;
        var slow = new SlowKey(TestKeys.File(9), async () =>
        {
            for (var i = 0; i < rotations; i++)
                await one.Keys.RotateAsync(None);
            snapshot = await one.BackUpAsync(disk);
        });

        await two.Keys.AddWrapAsync(slow, None);

        await using var last = await TestKeys.File(9).OpenAsync(meeting.Inner);
        Assert.Equal((1 + rotations, 2), (last.Keys.CurrentEpoch, last.Keys.Wraps.Count));
        await last.AssertRestoresAsync(snapshot!.Images[0].Image, disk);
        Assert.Single(await meeting.AllAsync("keys/"));
    }

    [Fact]
    public async Task Two_processes_that_add_keys_at_once_both_have_their_way()
    {
        await using var one = await TestVault.CreateAsync(meeting.Inner);
        await using var two = await TestVault.OpenAsync(meeting);
        await two.Keys.AddWrapAsync(new SlowKey(TestKeys.File(9), () => one.Keys.AddWrapAsync(TestKeys.File(10), None)), None);
        await TestKeys.File(9).AssertOpensAsync(meeting.Inner);
        await TestKeys.File(10).AssertOpensAsync(meeting.Inner);
    }

    [Fact]
    public async Task A_key_that_was_removed_meanwhile_does_not_come_back()
    {
        await using var one = await TestVault.CreateAsync(meeting.Inner);
        await one.Keys.AddWrapAsync(TestKeys.File(10), None);
        await using var two = await TestVault.OpenAsync(meeting);
        await two.Keys.AddWrapAsync(new SlowKey(TestKeys.File(9), () => one.Keys.RemoveWrapAsync(TestKeys.File(10).KeyId, [], None)), None);
        await TestKeys.File(9).AssertOpensAsync(meeting.Inner);
        await TestKeys.File(10).AssertRefusedAsync(meeting.Inner, StoreErrorKind.WrongKey);
    }

    [Fact]
    public async Task A_change_upon_which_another_process_built_before_it_was_logged_has_succeeded()
    {
        await using var one = await TestVault.CreateAsync(meeting);
        await using var two = await TestVault.OpenAsync(meeting.Inner);
        meeting.BeforePut = (LogEntry.NameOf(one.Log.Head + 1), () => two.Keys.RotateAsync(None));

        await one.Keys.AddWrapAsync(TestKeys.File(9), None);

        Assert.Null(meeting.BeforePut);
        Assert.Equal((3, 2, 2), (one.Keys.Generation, one.Keys.CurrentEpoch, one.Keys.Wraps.Count));
        await TestKeys.File(9).AssertOpensAsync(meeting.Inner);
    }

    [Fact]
    public async Task A_rotation_upon_which_another_process_built_before_it_was_seen_is_not_done_twice()
    {
        await using var one = await TestVault.CreateAsync(meeting);
        await using var two = await TestVault.OpenAsync(meeting.Inner);
        var (mine, next) = (Name(one, 2), Name(one, 3));
        meeting.AfterPut = (mine, () => two.Keys.AddWrapAsync(TestKeys.File(9), None));

        await one.Keys.RotateAsync(None);

        Assert.Null(meeting.AfterPut);
        Assert.Equal((3, 2, 2), (one.Keys.Generation, one.Keys.CurrentEpoch, one.Keys.Wraps.Count));
        Assert.Equal(next, Assert.Single(await meeting.AllAsync("keys/")).Name);
    }

    [Fact]
    public async Task A_generation_that_another_process_left_is_made_to_last_before_the_log_names_it()
    {
        await using (var one = await TestVault.CreateAsync(meeting))
        {
            // The process dies after its new generation is visible.
            meeting.BeforePut = (LogEntry.NameOf(one.Log.Head + 1), () => throw new StoreException(StoreErrorKind.Io, "The process is dead."));
            await Assert.ThrowsAsync<StoreException>(() => one.Keys.RotateAsync(None));
        }

        meeting.Steps.Clear();
        await using var again = await TestVault.OpenAsync(meeting);
        Assert.Equal(2u, again.Log.State.Keys.Generation);
        var steps = meeting.Steps.ToList();
        var logged = steps.IndexOf($"put {LogEntry.NameOf(again.Log.Head)}");
        Assert.InRange(steps.IndexOf("sync keys/"), 0, logged);
    }

    private static string Name(VaultStore vault, int generation) => $"keys/{generation:D8}-{vault.VaultId:N}";

    /// <summary>A key that takes its time to wrap, once: something happens meanwhile.</summary>
    private sealed class SlowKey(IKeyEncryptionKey inner, Func<Task> meanwhile) : IKeyEncryptionKey
    {
        private bool isDone;

        public string KeyId => inner.KeyId;

        public string Kind => inner.Kind;

        public async ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken)
        {
            var wrapped = await inner.WrapAsync(key, cancellationToken);
            if (!isDone)
            {
                isDone = true;
                await meanwhile();
            }

            return wrapped;
        }

        public ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> wrapped, CancellationToken cancellationToken) => inner.UnwrapAsync(wrapped, cancellationToken);
    }
}
