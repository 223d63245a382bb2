using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Strongroom.Metadata.Migrations
{
    /// <inheritdoc />
    public partial class ItemAgenda : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "DueAt",
                table: "Items",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.CreateIndex(
                name: "IX_Items_DueAt",
                table: "Items",
                column: "DueAt");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_Items_DueAt",
                table: "Items");

            migrationBuilder.DropColumn(
                name: "DueAt",
                table: "Items");
        }
    }
}
