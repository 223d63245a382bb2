using CsCheck;

namespace Strongroom.Arm.Tests.ResourceIds;

public sealed class ResourceIdTests
{
    private const string Vm = "/subscriptions/s1/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/vm1";

    private static readonly Gen<string> s_segment = Gen.Char["abcXYZ019-_.;()=, é"].Array[1, 12].Select(c => new string(c))
        .Where(s => ResourceNames.IsSegment(s) && !s.Equals("providers", StringComparison.OrdinalIgnoreCase));

    private static readonly Gen<ResourceId> s_id =
        Gen.Select(s_segment, s_segment, s_segment, Gen.Select(s_segment, s_segment).Array[1, 4], Gen.Int[0, 3], Gen.Bool)
            .Select((subscription, group, providerNamespace, pairs, scopeKind, isExtended) =>
            {
                ResourceId? scope = scopeKind switch { 0 => null, 1 => ResourceId.ForSubscription(subscription), _ => ResourceId.ForGroup(subscription, group) };
                ResourceId id = ResourceId.ForScope(scope, providerNamespace, pairs[0].Item1, pairs[0].Item2);
                foreach ((string type, string name) in pairs.Skip(1)) id = id.Child(type, name);
                return isExtended ? ResourceId.ForScope(id, "Strongroom.Extra", "locks", "l1") : id;
            });

    [Fact]
    public void What_is_formatted_parses_to_the_same_parts() => s_id.Sample(id =>
    {
        ResourceId parsed = ResourceId.Parse(id.ToString());
        Assert.Equal(id.ToString(), parsed.ToString());
        Assert.Equal((id.Type, id.Name, id.SubscriptionId, id.ResourceGroup, id.ProviderNamespace), (parsed.Type, parsed.Name, parsed.SubscriptionId, parsed.ResourceGroup, parsed.ProviderNamespace));
        Assert.Equal(id.Parent, parsed.Parent);
    });

    [Fact]
    public void Case_and_repeated_slashes_change_nothing() => Gen.Select(s_id, Gen.Int[1, 3], Gen.Bool).Sample((id, slashes, isUpper) =>
    {
        string text = id.ToString().Replace("/", new string('/', slashes), StringComparison.Ordinal) + (isUpper ? "/" : "");
        ResourceId other = ResourceId.Parse(isUpper ? text.ToUpperInvariant() : text);
        Assert.True(id == other);
        Assert.Equal(id.GetHashCode(), other.GetHashCode());
    });

    [Fact]
    public void Reading_any_text_never_throws() => Gen.String.Sample(text =>
    {
        bool isId = ResourceId.TryParse(text, out ResourceId? id);
        Assert.Equal(isId, id is not null);
        Assert.Equal(ResourceId.TryParse("/subscriptions/" + text, out id), id is not null);
    });

    [Theory]
    [InlineData("/Subscriptions/s1/resourcegroups/RG1/Providers/microsoft.compute/virtualmachines//VM1/", "/subscriptions/s1/resourceGroups/RG1/providers/microsoft.compute/virtualmachines/VM1")]
    [InlineData("/subscriptions/s1", "/subscriptions/s1")]
    [InlineData("/subscriptions/s1/RESOURCEGROUPS/rg", "/subscriptions/s1/resourceGroups/rg")]
    public void The_fixed_words_come_back_in_canonical_spelling(string sent, string canonical) => Assert.Equal(canonical, ResourceId.Parse(sent).ToString());

    [Fact]
    public void A_nested_resource_knows_its_type_and_parent()
    {
        ResourceId id = ResourceId.Parse("/subscriptions/s1/resourceGroups/rg1/providers/Microsoft.RecoveryServices/vaults/v1/backupPolicies/p1");
        Assert.Equal("Microsoft.RecoveryServices/vaults/backupPolicies", id.Type);
        Assert.Equal("p1", id.Name);
        Assert.Equal("Microsoft.RecoveryServices/vaults", id.Parent!.Type);
        Assert.Equal("Microsoft.Resources/resourceGroups", id.Parent.Parent!.Type);
        Assert.Equal("Microsoft.Resources/subscriptions", id.Parent.Parent.Parent!.Type);
        Assert.True(id.IsOfType("microsoft.recoveryservices/VAULTS/backuppolicies"));
    }

    [Fact]
    public void An_extension_has_the_type_of_its_own_provider_and_the_scope_of_its_parent()
    {
        ResourceId id = ResourceId.Parse(Vm + "/providers/Microsoft.Authorization/locks/l1");
        Assert.Equal("Microsoft.Authorization/locks", id.Type);
        Assert.Equal(ResourceId.Parse(Vm), id.Parent);
        Assert.Equal("rg1", id.ResourceGroup);
        Assert.True(id.IsWithin(ResourceId.ForGroup("S1", "RG1")));
        Assert.False(id.IsWithin(ResourceId.ForGroup("s1", "rg2")));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("subscriptions/s1")]
    [InlineData("/subscriptions")]
    [InlineData("/subscriptions/s1/resourceGroups")]
    [InlineData("/subscriptions/s1/vaults/v1")]
    [InlineData("/subscriptions/s1/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines")]
    [InlineData("/subscriptions/s1/resourceGroups/../providers/Microsoft.Compute/virtualMachines/vm1")]
    [InlineData("/subscriptions/s1/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/vm1/extensions")]
    [InlineData("/subscriptions/s1/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/a\u0000b")]
    [InlineData("/subscriptions/s1/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/a%2Fb")]
    [InlineData("/subscriptions/s1/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/vm1?x=1")]
    public void What_is_not_an_id_is_refused(string? text) => Assert.False(ResourceId.TryParse(text, out _));

    [Fact]
    public void An_id_cannot_be_made_of_parts_that_would_parse_differently()
    {
        Assert.Throws<ArgumentException>(() => ResourceId.ForResource("s", "rg", "Ns", "t", "a/b"));
        Assert.Throws<ArgumentException>(() => ResourceId.ForGroup("s", ".."));
        Assert.Throws<InvalidOperationException>(() => ResourceId.ForGroup("s", "rg").Child("a", "b"));
    }

    [Theory]
    [InlineData("rg-1_(x).y", true)]
    [InlineData("Büro", true)]
    [InlineData("rg.", false)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("a/b", false)]
    public void Resource_groups_are_named_as_in_Azure(string name, bool isAllowed) => Assert.Equal(isAllowed, ResourceNames.IsResourceGroup(name));

    [Theory]
    [InlineData("v1", true)]
    [InlineData("v", false)]
    [InlineData("1v", false)]
    [InlineData("my-vault", true)]
    [InlineData("my_vault", false)]
    public void Vaults_are_named_as_in_Azure(string name, bool isAllowed) => Assert.Equal(isAllowed, ResourceNames.IsVault(name));

    [Theory]
    [InlineData("abc", true)]
    [InlineData("ab", false)]
    [InlineData("Abc", false)]
    [InlineData("abc-1", false)]
    [InlineData("..", false)]
    [InlineData("abcdefghijklmnopqrstuvwxy", false)]
    public void Storage_accounts_are_named_as_in_Azure(string name, bool isAllowed) => Assert.Equal(isAllowed, ResourceNames.IsStorageAccount(name));

    [Fact]
    public void Names_have_their_greatest_length()
    {
        Assert.True(ResourceNames.IsResourceGroup(new string('a', 90)));
        Assert.False(ResourceNames.IsResourceGroup(new string('a', 91)));
        Assert.True(ResourceNames.IsVault(new string('a', 50)));
        Assert.False(ResourceNames.IsVault(new string('a', 51)));
        Assert.True(ResourceNames.IsGeneralName(new string('a', 80)));
        Assert.False(ResourceNames.IsGeneralName(new string('a', 81)));
    }
}
