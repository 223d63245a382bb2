using CsCheck;
using Microsoft.AspNetCore.Http;

namespace Strongroom.Arm.Tests.Paging;

public sealed class PagingTests
{
    private static readonly Gen<string[]> s_names = Gen.Char["abcABC.;é 01"].Array[1, 6].Select(c => new string(c)).Array[0, 60]
        .Select(names => names.Distinct(StringComparer.OrdinalIgnoreCase).ToArray());

    [Fact]
    public void Following_the_links_gives_every_item_once_in_order() => Gen.Select(s_names, Gen.Int[1, 9]).Sample((names, size) =>
    {
        List<string> seen = [];
        string query = "?api-version=2021-04-01&$filter=a%20eq%20'b'&$top=" + size;
        for (int pages = 0; ; pages++)
        {
            Assert.InRange(pages, 0, names.Length);
            HttpRequest request = Request(query);
            Page<string> page = Arm.Paging.Take(names, n => n, Arm.Paging.Read(request));
            Assert.InRange(page.Items.Count, 0, size);
            seen.AddRange(page.Items);
            string? link = Arm.Paging.NextLink(request, page.NextAfter);
            if (link is null) break;
            var next = new Uri(link);
            Assert.Equal("https://nas.example:8443/subscriptions/s/resources", next.GetLeftPart(UriPartial.Path));
            query = next.Query;
            Assert.Contains("$filter=a%20eq%20%27b%27", query, StringComparison.Ordinal);
        }
        Assert.Equal(names.Order(StringComparer.OrdinalIgnoreCase), seen);
    });

    [Fact]
    public void An_item_deleted_between_pages_hides_no_other()
    {
        Page<string> first = Arm.Paging.Take(["a", "b", "c", "d"], n => n, new PageRequest(2, null));
        Page<string> second = Arm.Paging.Take(["a", "c", "d"], n => n, new PageRequest(2, first.NextAfter));
        Assert.Equal(["c", "d"], second.Items);
        Assert.Null(second.NextAfter);
    }

    [Theory]
    [InlineData("?$top=0")]
    [InlineData("?$top=-1")]
    [InlineData("?$top=x")]
    [InlineData("?$top=99999999999")]
    [InlineData("?$top=1&$top=2")]
    [InlineData("?$skipToken=!!!")]
    [InlineData("?$skiptoken=MmFiYw")]
    [InlineData("?$skipToken=")]
    public void A_malformed_page_is_refused(string query) =>
        Assert.Equal((400, "InvalidQueryParameter"), Refusal(() => Arm.Paging.Read(Request(query))));

    [Fact]
    public void Any_token_is_read_or_refused_with_400() => Gen.String.Sample(token =>
    {
        try
        {
            Arm.Paging.Read(Request("?$skipToken=" + Uri.EscapeDataString(token)));
        }
        catch (ArmException refusal)
        {
            Assert.Equal(400, refusal.Status);
        }
    });

    private static (int, string) Refusal(Action act)
    {
        ArmException refusal = Assert.Throws<ArmException>(act);
        return (refusal.Status, refusal.Code);
    }

    private static HttpRequest Request(string query)
    {
        HttpRequest request = new DefaultHttpContext().Request;
        request.Scheme = "https";
        request.Host = new HostString("nas.example", 8443);
        request.Path = "/subscriptions/s/resources";
        request.QueryString = new QueryString(query);
        return request;
    }
}
