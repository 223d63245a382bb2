using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Strongroom.Arm;

internal static class RequestBody
{
    private static readonly byte[] s_utf8Mark = [0xEF, 0xBB, 0xBF];

    /// <summary>The whole body, without a byte order mark; never more than the limit, whatever the web server in front allows.</summary>
    public static async Task<byte[]> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        long limitBytes = request.HttpContext.RequestServices.GetRequiredService<ArmOptions>().MaxRequestBodyBytes;
        using var buffer = new MemoryStream();
        byte[] part = new byte[16 * 1024];
        int count;
        while ((count = await ReadPartAsync(request.Body, part, cancellationToken)) > 0)
        {
            if (buffer.Length + count > limitBytes) throw ArmErrors.RequestEntityTooLarge(limitBytes);
            buffer.Write(part, 0, count);
        }
        byte[] body = buffer.ToArray();
        return body.AsSpan().StartsWith(s_utf8Mark) ? body[s_utf8Mark.Length..] : body;
    }

    private static async ValueTask<int> ReadPartAsync(Stream body, byte[] part, CancellationToken cancellationToken)
    {
        try
        {
            return await body.ReadAsync(part, cancellationToken);
        }
        catch (IOException exception) when (exception is not BadHttpRequestException)
        {
            // What cannot be read is the client's doing: a chunk of an impossible size (the web server says so in this way), a connection cut.
            throw ArmErrors.InvalidRequestContent("it cannot be read to its end");
        }
    }
}
