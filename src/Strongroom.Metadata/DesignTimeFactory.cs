using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Strongroom.Metadata;

/// <summary>Lets <c>dotnet ef migrations add</c> build the model without a server.</summary>
internal sealed class DesignTimeFactory : IDesignTimeDbContextFactory<StrongroomContext>
{
    public StrongroomContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<StrongroomContext>().UseSqlite("Data Source=design.db").Options);
}
