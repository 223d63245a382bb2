namespace Strongroom.Arm.Tests.Http;

public sealed class RequestScopeTests
{
    [Theory]
    [InlineData("/subscriptions/s", "/subscriptions/s")]
    [InlineData("/subscriptions/s/resourceGroups", "/subscriptions/s")]
    [InlineData("/subscriptions/s/resourceGroups/g", "/subscriptions/s/resourceGroups/g")]
    [InlineData("/subscriptions/s/providers/N/checkNameAvailability", "/subscriptions/s")]
    [InlineData("/subscriptions/s/resourceGroups/g/providers/N/vaults", "/subscriptions/s/resourceGroups/g")]
    [InlineData("/subscriptions/s/resourceGroups/g/providers/N/vaults/v", "/subscriptions/s/resourceGroups/g/providers/N/vaults/v")]
    [InlineData("/subscriptions/s/resourceGroups/g/providers/N/vaults/v/jobs", "/subscriptions/s/resourceGroups/g/providers/N/vaults/v")]
    [InlineData("/subscriptions/s/resourceGroups/g/providers/N/vaults/v/jobs/j/cancel", "/subscriptions/s/resourceGroups/g/providers/N/vaults/v/jobs/j")]
    [InlineData("/subscriptions/s/resourceGroups/g/providers/N/vaults/v/providers/A/roleAssignments", "/subscriptions/s/resourceGroups/g/providers/N/vaults/v")]
    [InlineData("/subscriptions/s/resourceGroups/providers", "/subscriptions/s/resourceGroups/providers")]
    [InlineData("/subscriptions/s/resourceGroups/providers/resources", "/subscriptions/s/resourceGroups/providers")]
    [InlineData("/subscriptions/s/resourceGroups/g/providers/N/vaults/Providers", "/subscriptions/s/resourceGroups/g/providers/N/vaults/Providers")]
    [InlineData("/subscriptions/s/resourceGroups/providers/providers/N/vaults/providers/jobs/providers", "/subscriptions/s/resourceGroups/providers/providers/N/vaults/providers/jobs/providers")]
    [InlineData("/subscriptions/s/resourceGroups/g/providers/N/vaults/providers/jobs", "/subscriptions/s/resourceGroups/g/providers/N/vaults/providers")]
    public void A_path_names_its_resource_or_what_it_is_in(string path, string scope) => Assert.Equal(scope, RequestScope.Of(path));

    [Theory]
    [InlineData("/subscriptions/s/resourceGroups/lab", true)]
    [InlineData("/SUBSCRIPTIONS/s/resourcegroups/LAB/providers/N/vaults/v", true)]
    [InlineData("/subscriptions/s/resourceGroups/lab2", false)]
    [InlineData("/subscriptions/s", false)]
    public void A_scope_reaches_what_is_below_it_by_whole_segments(string scope, bool isWithin) =>
        Assert.Equal(isWithin, RoleAssignment.IsWithin(scope, "/subscriptions/s/resourceGroups/lab"));
}
