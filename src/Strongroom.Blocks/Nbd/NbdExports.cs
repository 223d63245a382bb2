using System.Buffers.Binary;
using System.Text;

namespace Strongroom.Blocks.Nbd;

/// <summary>An export as a server lists it.</summary>
/// <param name="Description">For people; often empty.</param>
public sealed record NbdListedExport(string Name, string Description);

/// <summary>What an NBD server has, asked without opening any of it. Each question takes a connection of its own.</summary>
public static class NbdExports
{
    /// <summary>The exports that the server tells of (NBD_OPT_LIST); it may have others.</summary>
    /// <exception cref="IOException">As <see cref="NbdClient.ConnectAsync"/> has it, or the server does not list its exports.</exception>
    public static Task<IReadOnlyList<NbdListedExport>> ListAsync(NbdAddress address, NbdClientOptions options, CancellationToken cancellationToken) => AskAsync(
        address,
        options,
        async channel =>
        {
            var exports = new List<NbdListedExport>();
            await channel.SendAsync(NbdProtocol.OptionList, []).ConfigureAwait(false);
            var error = await channel.ReadAllAsync(NbdProtocol.OptionList, NbdProtocol.ReplyServer, reply => exports.Add(ParseExport(reply))).ConfigureAwait(false);
            return error is null ? (IReadOnlyList<NbdListedExport>)exports : throw new IOException($"The NBD server does not list its exports: {error.Describe()}.");
        },
        cancellationToken);

    /// <summary>The meta contexts that an export has (NBD_OPT_LIST_META_CONTEXT); none when the server knows nothing of them.</summary>
    /// <param name="options">Names the export.</param>
    /// <param name="query">What to look for: "qemu:dirty-bitmap:" finds all bitmaps, "base:allocation" itself; null finds all there is.</param>
    /// <exception cref="IOException">As <see cref="NbdClient.ConnectAsync"/> has it, or there is no such export.</exception>
    public static Task<IReadOnlyList<string>> ListMetaContextsAsync(NbdAddress address, NbdClientOptions options, string? query, CancellationToken cancellationToken) => AskAsync(
        address,
        options,
        async channel =>
        {
            if (await NbdHandshake.AgreeOnHeadersAsync(channel).ConfigureAwait(false) == NbdHeaders.Simple)
                return (IReadOnlyList<string>)[];
            var contexts = new List<string>();
            await channel.SendAsync(NbdProtocol.OptionListMetaContext, NbdOptionData.MetaContexts(options.ExportName, query is null ? [] : [query])).ConfigureAwait(false);
            var error = await channel.ReadAllAsync(NbdProtocol.OptionListMetaContext, NbdProtocol.ReplyMetaContext, reply => contexts.Add(reply.ParseMetaContext().Name)).ConfigureAwait(false);
            if (error is null or { Type: NbdProtocol.ReplyErrorUnsupported })
                return contexts;
            throw new IOException($"The NBD server does not describe the export '{options.ExportName}': {error.Describe()}.");
        },
        cancellationToken);

    /// <summary>Names of the dirty bitmaps that QEMU exports with a disk, as <see cref="NbdSourceOptions.ChangedBitmap"/> takes them.</summary>
    /// <exception cref="IOException">As <see cref="ListMetaContextsAsync"/> has it.</exception>
    public static async Task<IReadOnlyList<string>> ListDirtyBitmapsAsync(NbdAddress address, NbdClientOptions options, CancellationToken cancellationToken)
    {
        var prefix = NbdMetaContexts.DirtyBitmap("");
        var contexts = await ListMetaContextsAsync(address, options, prefix, cancellationToken).ConfigureAwait(false);
        return [.. contexts.Where(context => context.StartsWith(prefix, StringComparison.Ordinal)).Select(context => context[prefix.Length..])];
    }

    private static Task<T> AskAsync<T>(NbdAddress address, NbdClientOptions options, Func<NbdOptionChannel, Task<T>> ask, CancellationToken cancellationToken) => NbdConnector.RunAsync(
        address,
        options,
        async channel =>
        {
            var answer = await ask(channel).ConfigureAwait(false);
            try
            {
                await channel.SendAsync(NbdProtocol.OptionAbort, []).ConfigureAwait(false);
            }
            catch (IOException)
            {
                // The goodbye is a courtesy.
            }

            await channel.Wire.DisposeAsync().ConfigureAwait(false);
            return answer;
        },
        cancellationToken);

    private static NbdListedExport ParseExport(NbdOptionReply reply)
    {
        if (reply.Data.Length < 4)
            throw reply.Unexpected();
        var length = BinaryPrimitives.ReadUInt32BigEndian(reply.Data);
        if (length > NbdOptionReply.LongestNameBytes || length > reply.Data.Length - 4 || reply.Data.Length - 4 - length > NbdOptionReply.LongestNameBytes)
            throw reply.Unexpected();
        var texts = reply.Data.AsSpan(4);
        return new NbdListedExport(Encoding.UTF8.GetString(texts[..(int)length]), Encoding.UTF8.GetString(texts[(int)length..]));
    }
}
