using Microsoft.Extensions.DependencyInjection;
using Strongroom.Arm;
using Strongroom.Metadata.Tests.Support;

namespace Strongroom.Metadata.Tests.Conformance;

public abstract class RoleAssignmentSuite : DatabaseSuite
{
    private const string Lab = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/Lab";

    private IRoleAssignmentStore Store => Services.GetRequiredService<IRoleAssignmentStore>();

    [Fact]
    public async Task An_assignment_is_found_by_its_name_and_by_its_principal()
    {
        var assignment = New(Lab) with { Description = "for the night shift" };
        Assert.Equal(AssignOutcome.Created, await Store.PutAsync(assignment, Token));
        Assert.Equal(AssignOutcome.Created, await Store.PutAsync(New(Lab), Token));

        Assert.Equal(assignment, await Store.FindAsync(assignment.Name, Token));
        Assert.Equal([assignment], await Store.ListAsync(assignment.PrincipalId, Token));
        Assert.Equal(2, (await Store.ListAsync(null, Token)).Count);
        Assert.Null(await Store.FindAsync(Guid.NewGuid(), Token));
    }

    [Fact]
    public async Task Of_many_who_grant_the_same_role_exactly_one_makes_it()
    {
        var assignment = New(Lab);
        var outcomes = await AtOnceAsync(16, n => Store.PutAsync(assignment with { Name = Guid.NewGuid(), Scope = n % 2 == 0 ? Lab : Lab.ToLowerInvariant() }, Token));

        Assert.Single(outcomes, AssignOutcome.Created);
        Assert.Equal(15, outcomes.Count(o => o == AssignOutcome.Duplicate));
        Assert.Single(await Store.ListAsync(assignment.PrincipalId, Token));
    }

    [Fact]
    public async Task Only_the_description_of_an_assignment_changes()
    {
        var assignment = New(Lab);
        await Store.PutAsync(assignment, Token);

        Assert.Equal(AssignOutcome.NameTaken, await Store.PutAsync(assignment with { Scope = Lab + "2" }, Token));
        Assert.Equal(AssignOutcome.NameTaken, await Store.PutAsync(assignment with { PrincipalId = Guid.NewGuid() }, Token));
        Assert.Equal(AssignOutcome.Unchanged, await Store.PutAsync(assignment with { Description = "new", CreatedAt = default }, Token));
        Assert.Equal(assignment with { Description = "new" }, await Store.FindAsync(assignment.Name, Token));
    }

    [Fact]
    public async Task What_is_over_a_scope_or_below_it_leaves_with_it()
    {
        var (group, vault, other) = (New(Lab), New(Lab + "/providers/Microsoft.RecoveryServices/vaults/v1"), New(Lab + "2"));
        foreach (var assignment in new[] { group, vault, other }) await Store.PutAsync(assignment, Token);

        Assert.Equal(2, await Store.DeleteWithinAsync(Lab.ToUpperInvariant(), Token));
        Assert.Equal([other], await Store.ListAsync(null, Token));
        Assert.False(await Store.DeleteAsync(group.Name, Token));
        Assert.Equal(1, await Store.DeleteOfAsync(other.PrincipalId, Token));
        Assert.Empty(await Store.ListAsync(null, Token));
    }

    private static RoleAssignment New(string scope) => new(Guid.NewGuid(), scope, BuiltInRoles.Reader.Id, Guid.NewGuid(), "ServicePrincipal", Sample.Now, Guid.NewGuid());
}
