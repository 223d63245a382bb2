using Microsoft.Extensions.DependencyInjection;
using Strongroom.Arm;
using Strongroom.Metadata.Tests.Conformance;
using Strongroom.Metadata.Tests.Support;
using Strongroom.Testing;

namespace Strongroom.Metadata.Tests.Sqlite;

public sealed class Vaults_in_SQLite : VaultSuite
{
    protected override Task<ITestDatabase> OpenAsync() => SqliteDatabase.CreateAsync();
}

public sealed class Items_in_SQLite : ItemSuite
{
    protected override Task<ITestDatabase> OpenAsync() => SqliteDatabase.CreateAsync();
}

public sealed class The_agenda_of_items_in_SQLite : ItemAgendaSuite
{
    protected override Task<ITestDatabase> OpenAsync() => SqliteDatabase.CreateAsync();
}

public sealed class Policies_in_SQLite : PolicySuite
{
    protected override Task<ITestDatabase> OpenAsync() => SqliteDatabase.CreateAsync();
}

public sealed class Jobs_in_SQLite : JobLedgerSuite
{
    protected override Task<ITestDatabase> OpenAsync() => SqliteDatabase.CreateAsync();
}

public sealed class Outcomes_of_jobs_in_SQLite : JobOutcomeSuite
{
    protected override Task<ITestDatabase> OpenAsync() => SqliteDatabase.CreateAsync();
}

public sealed class Random_lives_of_jobs_in_SQLite : JobLedgerModelSuite
{
    protected override Task<ITestDatabase> OpenAsync() => SqliteDatabase.CreateAsync();
}

public sealed class Resources_in_SQLite : ResourceStoreSuite
{
    protected override IResourceStore Store => Services.GetRequiredService<IResourceStore>();

    protected override Task<ITestDatabase> OpenAsync() => SqliteDatabase.CreateAsync();
}

/// <summary>The store that other tests use in its place keeps the same rules.</summary>
public sealed class Resources_in_memory : ResourceStoreSuite
{
    private readonly InMemoryResourceStore _store = new();

    protected override IResourceStore Store => _store;

    protected override Task<ITestDatabase> OpenAsync() => SqliteDatabase.CreateAsync();
}

public sealed class Role_assignments_in_SQLite : RoleAssignmentSuite
{
    protected override Task<ITestDatabase> OpenAsync() => SqliteDatabase.CreateAsync();
}

public sealed class Activity_log_in_SQLite : ActivityLogSuite
{
    protected override Task<ITestDatabase> OpenAsync() => SqliteDatabase.CreateAsync();
}
