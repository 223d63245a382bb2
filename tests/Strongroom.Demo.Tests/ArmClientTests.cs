using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Strongroom.Client;

namespace Strongroom.Demo.Tests;

public sealed class ArmClientTests
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_refusal_is_told_with_the_code_and_the_message_of_the_envelope()
    {
        await using var api = await ScriptedApi.StartAsync(context =>
            ScriptedApi.JsonAsync(context, 404, "{'error':{'code':'ResourceNotFound','message':'There is no such vault.'}}"));

        var refused = await Assert.ThrowsAsync<ArmRequestException>(() => Client(api).GetAsync("/subscriptions/s?api-version=1", Token));

        Assert.Equal("ResourceNotFound", refused.Code);
        Assert.Equal(HttpStatusCode.NotFound, refused.Status);
        Assert.Equal("ResourceNotFound: There is no such vault. (HTTP 404 to GET /subscriptions/s)", refused.Describe());
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>bad gateway</html>")]
    [InlineData("[]")]
    public async Task A_refusal_without_an_envelope_is_told_with_its_status(string body)
    {
        await using var api = await ScriptedApi.StartAsync(context => ScriptedApi.JsonAsync(context, 502, body));

        var refused = await Assert.ThrowsAsync<ArmRequestException>(() => Client(api).GetAsync("/x", Token));

        Assert.Equal("BadGateway", refused.Code);
    }

    [Fact]
    public async Task Each_request_carries_the_token_and_the_body()
    {
        string? authorization = null, body = null;
        await using var api = await ScriptedApi.StartAsync(async context =>
        {
            authorization = context.Request.Headers.Authorization;
            body = await new StreamReader(context.Request.Body).ReadToEndAsync(Token);
            await ScriptedApi.JsonAsync(context, 201, "{'name':'v'}");
        });

        var answer = await Client(api).PutAsync("/v?api-version=1", new JsonObject { ["location"] = "home" }, Token);

        Assert.Equal(HttpStatusCode.Created, answer.Status);
        Assert.Equal("v", answer.Body.Text("name"));
        Assert.Equal("Bearer secret-token", authorization);
        Assert.Equal("""{"location":"home"}""", body);
    }

    [Fact]
    public async Task A_list_is_read_over_all_its_pages()
    {
        await using var api = await ScriptedApi.StartAsync(context =>
        {
            var page = context.Request.Query["page"].ToString();
            return ScriptedApi.JsonAsync(context, 200, page switch
            {
                "" => $"{{'value':[{{'name':'a'}}],'nextLink':'http://{context.Request.Host}/list?page=2'}}",
                "2" => "{'value':[{'name':'b'},{'name':'c'}],'nextLink':'/list?page=3'}",
                _ => "{'value':[]}",
            });
        });

        var items = await Client(api).ListAsync("/list", Token);

        Assert.Equal(["a", "b", "c"], items.Select(item => item.Text("name")));
    }

    [Fact]
    public async Task A_list_that_never_ends_is_given_up()
    {
        await using var api = await ScriptedApi.StartAsync(context => ScriptedApi.JsonAsync(context, 200, "{'value':[],'nextLink':'/list'}"));

        await Assert.ThrowsAsync<ClientException>(() => Client(api).ListAsync("/list", Token));
    }

    [Fact]
    public async Task An_operation_is_followed_until_it_succeeded()
    {
        var polls = 0;
        await using var api = await ScriptedApi.StartAsync(context => context.Request.Path.Value switch
        {
            "/backup" => AcceptAsync(context, "Azure-AsyncOperation", "/operations/1?api-version=2019-05-13-preview&t=x"),
            _ when ++polls < 3 => ScriptedApi.JsonAsync(context, 200, "{'status':'InProgress'}"),
            _ => ScriptedApi.JsonAsync(context, 200, "{'status':'Succeeded','properties':{'jobId':'j'}}"),
        });
        var client = Client(api);

        var ended = await client.FollowOperationAsync(await client.PostAsync("/backup", null, Token), Token);

        Assert.Equal("j", ended.Text("properties", "jobId"));
        Assert.Equal(3, api.Requests.Count(request => request == "GET /operations/1?api-version=2019-05-13-preview&t=x"));
    }

    [Fact]
    public async Task An_operation_that_failed_is_told_with_its_own_error()
    {
        await using var api = await ScriptedApi.StartAsync(context => context.Request.Path == "/backup"
            ? AcceptAsync(context, "Azure-AsyncOperation", "/op")
            : ScriptedApi.JsonAsync(context, 200, "{'status':'Failed','error':{'code':'400136','message':'The machine is gone.'}}"));
        var client = Client(api);
        var started = await client.PostAsync("/backup", null, Token);

        var failed = await Assert.ThrowsAsync<ArmRequestException>(() => client.FollowOperationAsync(started, Token));

        Assert.Equal("400136: The machine is gone. (POST /backup)", failed.Describe());
    }

    [Fact]
    public async Task A_location_is_followed_until_it_answers_something_else_than_202()
    {
        var polls = 0;
        await using var api = await ScriptedApi.StartAsync(context =>
        {
            if (context.Request.Path == "/refresh" || ++polls < 3)
                return AcceptAsync(context, "Location", $"/results/{polls}");
            context.Response.StatusCode = 204;
            return Task.CompletedTask;
        });
        var client = Client(api);

        var ended = await client.FollowLocationAsync(await client.PostAsync("/refresh", null, Token), Token);

        Assert.Equal(HttpStatusCode.NoContent, ended.Status);
        Assert.Equal(["POST /refresh", "GET /results/0", "GET /results/1", "GET /results/2"], api.Requests);
    }

    [Fact]
    public async Task An_operation_that_never_ends_is_given_up_after_its_limit()
    {
        var time = new FakeTimeProvider();
        await using var api = await ScriptedApi.StartAsync(context => context.Request.Path == "/backup"
            ? AcceptAsync(context, "Azure-AsyncOperation", "/op")
            : ScriptedApi.JsonAsync(context, 200, "{'status':'InProgress'}"));
        var client = Client(api, time);
        var started = await client.PostAsync("/backup", null, Token);

        var following = client.FollowOperationAsync(started, Token);
        var begin = time.GetUtcNow();
        while (!following.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(2, Token);
        }

        var failed = await Assert.ThrowsAsync<ClientException>(() => following);
        Assert.Contains("POST /backup did not end", failed.Message, StringComparison.Ordinal);
        Assert.True(time.GetUtcNow() - begin >= TimeLimits.Operation);
    }

    [Fact]
    public async Task The_token_is_sent_to_no_other_server()
    {
        await using var other = await ScriptedApi.StartAsync(context => ScriptedApi.JsonAsync(context, 200, "{'status':'Succeeded'}"));
        await using var api = await ScriptedApi.StartAsync(context => AcceptAsync(context, "Azure-AsyncOperation", $"{other.Endpoint}op"));
        var client = Client(api);
        var started = await client.PostAsync("/backup", null, Token);

        await Assert.ThrowsAsync<ClientException>(() => client.FollowOperationAsync(started, Token));
        await Assert.ThrowsAsync<ClientException>(() => client.DownloadAsync($"{other.Endpoint}disk.vhd", Token));

        Assert.Empty(other.Requests);
    }

    [Fact]
    public async Task What_is_missing_is_an_answer_and_what_fails_is_not()
    {
        await using var api = await ScriptedApi.StartAsync(context => ScriptedApi.JsonAsync(
            context, context.Request.Path == "/there" ? 200 : context.Request.Path == "/gone" ? 404 : 403, "{}"));

        Assert.True(await Client(api).ExistsAsync("/there", Token));
        Assert.False(await Client(api).ExistsAsync("/gone", Token));
        await Assert.ThrowsAsync<ArmRequestException>(() => Client(api).ExistsAsync("/forbidden", Token));
    }

    [Fact]
    public void The_server_may_ask_for_a_pause_but_not_for_a_long_one()
    {
        Assert.Equal(TimeLimits.PollInterval, ArmClient.PollDelay(null));
        Assert.Equal(TimeLimits.PollInterval, ArmClient.PollDelay(TimeSpan.Zero));
        Assert.Equal(TimeSpan.FromSeconds(0.5), ArmClient.PollDelay(TimeSpan.FromSeconds(0.5)));
        Assert.Equal(TimeLimits.PollIntervalMax, ArmClient.PollDelay(TimeSpan.FromSeconds(60)));
    }

    private static Task AcceptAsync(HttpContext context, string header, string url)
    {
        context.Response.StatusCode = 202;
        context.Response.Headers[header] = url.StartsWith('/') ? $"http://{context.Request.Host}{url}" : url;
        return Task.CompletedTask;
    }

    private static ArmClient Client(ScriptedApi api, TimeProvider? time = null) =>
        new(Http, api.Endpoint, _ => ValueTask.FromResult("secret-token"), time ?? TimeProvider.System);
}
