using Microsoft.AspNetCore.Http;
using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Api.FileBrowsing;

/// <summary>An answer that reads from a recovery point, which is let go at its end. When reading fails on the way the connection is cut: what was sent cannot be taken for the whole.</summary>
/// <param name="inner">The answer, before which nothing is sent.</param>
internal sealed class FileDownload(IFileTree tree, IResult inner) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        await using (tree)
        {
            try
            {
                await inner.ExecuteAsync(httpContext);
            }
            catch (FileBrowsingException failure) when (!httpContext.Response.HasStarted)
            {
                httpContext.Response.Clear();
                throw FileErrors.From(failure);
            }
            catch (FileBrowsingException)
            {
                httpContext.Abort();
            }
        }
    }
}
