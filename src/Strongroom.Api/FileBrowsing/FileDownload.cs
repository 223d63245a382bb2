using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
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
            // However long it is: a server that is to stop does not wait for it.
            await using CancellationTokenRegistration stop = httpContext.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(httpContext.Abort);
            httpContext.Response.Body = new PacedStream(httpContext.Response.Body, TimeProvider.System, httpContext.Abort);
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
