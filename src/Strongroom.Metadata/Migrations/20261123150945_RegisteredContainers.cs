using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Strongroom.Metadata.Migrations
{
    /// <inheritdoc />
    public partial class RegisteredContainers : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "Containers",
                columns: table => new
                {
                    VaultKey = table.Column<Guid>(type: "TEXT", nullable: false),
                    NativeName = table.Column<string>(type: "TEXT", nullable: false),
                    SourceKey = table.Column<string>(type: "TEXT", nullable: false),
                    Document = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Containers", x => new { x.VaultKey, x.NativeName });
                });

            migrationBuilder.CreateIndex(
                name: "IX_Containers_SourceKey",
                table: "Containers",
                column: "SourceKey",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "Containers");
        }
    }
}
