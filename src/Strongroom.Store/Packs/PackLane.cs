using System.Collections.Concurrent;
using System.Security.Cryptography;
using Strongroom.Store.Collection;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Packs;

/// <summary>A session's row of packs, one open and at most one being sealed in the background. Thread-safe.</summary>
internal sealed class PackLane(
    VaultStore vault, PackContent content, ConcurrentDictionary<ChunkId, Slot>? pending, CommitClaims claims, CancellationToken life,
    Func<ValueTask>? whenSealed = null, int? verifyEvery = null) : IDisposable
{
    private readonly SemaphoreSlim gate = new(1, 1);
    private PackWriter? current;
    private Task sealing = Task.CompletedTask;

    public async ValueTask<Slot> AppendAsync(ChunkId id, EncodedChunk chunk, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            current ??= await BeginPackAsync(cancellationToken);
            var slot = await current.AppendAsync(id, chunk, cancellationToken);
            pending?.TryAdd(id, slot);
            if (current.LengthBytes >= vault.Options.PackSizeBytes || !current.HasRoom)
                await BeginSealAsync();
            return slot;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Closes the open pack though it has room, and does not wait for it.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (current is not null)
                await BeginSealAsync();
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Seals what is open; on return every pack of the lane is visible and durable.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (current is not null)
                await BeginSealAsync();
            await sealing;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Waits until no pack is being sealed; says nothing of how that went.</summary>
    public async Task WhenSealedAsync()
    {
        await gate.WaitAsync(CancellationToken.None);
        try
        {
            await sealing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Gives up what is open.</summary>
    public async Task AbandonAsync()
    {
        await gate.WaitAsync(CancellationToken.None);
        try
        {
            // The session did not succeed, and whoever asked for its result has been told.
            await sealing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
        finally
        {
            if (current is not null)
                await current.DisposeAsync();
            current = null;
            gate.Release();
        }
    }

    public void Dispose() => gate.Dispose();

    private async Task<PackWriter> BeginPackAsync(CancellationToken cancellationToken)
    {
        // Another process may have taken a key away since the session began: what follows is for those that stay.
        await vault.Log.RefreshAsync(cancellationToken);
        await vault.Keys.FollowAsync(cancellationToken);
        var packSeq = await vault.AllocatePackSeqAsync(cancellationToken);
        claims.AddPack(packSeq);
        return await PackWriter.CreateAsync(
            vault.Packs.Backend, vault.Packs.Ring, content, packSeq, RandomNumberGenerator.GetBytes(16), cancellationToken);
    }

    private async Task BeginSealAsync()
    {
        await sealing;
        var full = current!;
        current = null;
        sealing = Workers.StartAsync(() => SealAsync(full));
    }

    private async Task SealAsync(PackWriter pack)
    {
        await using (pack)
        {
            await pack.SealAsync(verifyEvery ?? vault.Options.VerifyEvery, vault.Packs.IdKeyOf(content), vault.Packs.Codecs, life);
            await vault.PackSealedAsync(content, pack.PackSeq, pack.LengthBytes, pack.Entries, life);
        }

        // From here the index finds them, and the session need not remember.
        if (pending is not null)
        {
            foreach (var entry in pack.Entries)
                pending.TryRemove(entry.Id, out _);
        }

        if (whenSealed is not null)
            await whenSealed();
    }
}
