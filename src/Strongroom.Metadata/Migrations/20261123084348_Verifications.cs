using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Strongroom.Metadata.Migrations
{
    /// <inheritdoc />
    public partial class Verifications : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_Jobs_OneLivePerItem",
                table: "Jobs");

            migrationBuilder.AddColumn<bool>(
                name: "RunsBeside",
                table: "Jobs",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.CreateTable(
                name: "Verifications",
                columns: table => new
                {
                    ItemKey = table.Column<Guid>(type: "TEXT", nullable: false),
                    Name = table.Column<string>(type: "TEXT", nullable: false),
                    At = table.Column<long>(type: "INTEGER", nullable: false),
                    Screenshot = table.Column<byte[]>(type: "BLOB", nullable: true),
                    Document = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Verifications", x => new { x.ItemKey, x.Name });
                    table.ForeignKey(
                        name: "FK_Verifications_Points_ItemKey_Name",
                        columns: x => new { x.ItemKey, x.Name },
                        principalTable: "Points",
                        principalColumns: new[] { "ItemKey", "Name" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_Jobs_OneLivePerItem",
                table: "Jobs",
                columns: new[] { "ItemKey", "RunsBeside" },
                unique: true,
                filter: "\"State\" IN ('InProgress', 'Cancelling')");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "Verifications");

            migrationBuilder.DropIndex(
                name: "IX_Jobs_OneLivePerItem",
                table: "Jobs");

            migrationBuilder.DropColumn(
                name: "RunsBeside",
                table: "Jobs");

            migrationBuilder.CreateIndex(
                name: "IX_Jobs_OneLivePerItem",
                table: "Jobs",
                column: "ItemKey",
                unique: true,
                filter: "\"State\" IN ('InProgress', 'Cancelling')");
        }
    }
}
