using CsCheck;
using Strongroom.Workloads.VirtualMachines.Folder;

namespace Strongroom.Workloads.Tests.VirtualMachines.Folder;

public sealed class AllowedRootsTests : IDisposable
{
    private readonly FabricFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void A_root_and_what_is_below_it_is_accepted()
    {
        Directory.CreateDirectory(Path.Combine(_fixture.Hosts, "a/b"));
        Assert.Null(_fixture.Roots.RefuseFolder(_fixture.Hosts));
        Assert.Null(_fixture.Roots.RefuseFolder(_fixture.Hosts + "/"));
        Assert.Null(_fixture.Roots.RefuseFolder(_fixture.Hosts + "/a//b/."));
    }

    [Theory]
    [InlineData("/etc")]
    [InlineData("/")]
    [InlineData("hosts")]
    [InlineData("")]
    [InlineData("HOSTS/../outside")]
    [InlineData("HOSTS/a/../a")]
    [InlineData("HOSTS/\0")]
    [InlineData("HOSTS-beside")]
    [InlineData("OUTSIDE")]
    [InlineData("HOSTS/missing")]
    [InlineData("HOSTS/a/file")]
    public void Everything_else_is_refused(string path)
    {
        _fixture.Write("a/file", "x");
        Directory.CreateDirectory(_fixture.Hosts + "-beside");
        path = path.Replace("HOSTS", _fixture.Hosts, StringComparison.Ordinal).Replace("OUTSIDE", _fixture.Outside, StringComparison.Ordinal);
        Assert.NotNull(_fixture.Roots.RefuseFolder(path));
    }

    [Fact]
    public void The_refusal_does_not_tell_what_exists()
    {
        Directory.CreateDirectory(Path.Combine(_fixture.Outside, "there"));
        var there = _fixture.Roots.RefuseFolder(Path.Combine(_fixture.Outside, "there"))!;
        var missing = _fixture.Roots.RefuseFolder(Path.Combine(_fixture.Outside, "lost!"))!;
        Assert.Equal(there.Replace("there", "lost!", StringComparison.Ordinal), missing);
    }

    [Fact]
    public void A_link_is_judged_by_where_it_leads()
    {
        Directory.CreateDirectory(Path.Combine(_fixture.Hosts, "real"));
        Directory.CreateSymbolicLink(Path.Combine(_fixture.Hosts, "inside"), Path.Combine(_fixture.Hosts, "real"));
        Directory.CreateSymbolicLink(Path.Combine(_fixture.Hosts, "escape"), _fixture.Outside);
        Assert.Null(_fixture.Roots.RefuseFolder(Path.Combine(_fixture.Hosts, "inside")));
        Assert.NotNull(_fixture.Roots.RefuseFolder(Path.Combine(_fixture.Hosts, "escape")));
        File.WriteAllText(Path.Combine(_fixture.Outside, "secret"), "x");
        Assert.Throws<PathRefusedException>(() => _fixture.Roots.OpenFile(Path.Combine(_fixture.Hosts, "escape/secret")));
    }

    [Fact]
    public void A_root_that_is_a_link_allows_what_it_leads_to()
    {
        var link = Path.Combine(_fixture.Outside, "link");
        Directory.CreateSymbolicLink(link, _fixture.Hosts);
        var roots = new AllowedRoots([link]);
        Assert.Null(roots.RefuseFolder(link));
        Assert.Null(roots.RefuseFolder(_fixture.Hosts));
    }

    [Fact]
    public void Without_roots_nothing_is_accepted_and_with_the_root_folder_all()
    {
        Assert.Contains("--allow-path", new AllowedRoots([]).RefuseFolder(_fixture.Hosts), StringComparison.Ordinal);
        Assert.Null(new AllowedRoots(["/"]).RefuseFolder(_fixture.Hosts));
        Assert.Throws<ArgumentException>(() => new AllowedRoots(["relative"]));
    }

    [Fact]
    public void A_link_put_in_place_between_the_check_and_the_opening_does_not_help()
    {
        // What was checked is "<hosts>/vm/disk.raw"; then the folder, or the file, becomes a link out of the root.
        File.WriteAllText(Path.Combine(_fixture.Outside, "disk.raw"), "secret");
        var path = _fixture.Write("vm/disk.raw", "mine");
        using (var file = _fixture.Roots.OpenResolved(path))
            Assert.Equal(path, file.RealPath);

        Directory.Delete(Path.Combine(_fixture.Hosts, "vm"), recursive: true);
        Directory.CreateSymbolicLink(Path.Combine(_fixture.Hosts, "vm"), _fixture.Outside);
        Assert.Throws<PathRefusedException>(() => _fixture.Roots.OpenResolved(path));

        Directory.Delete(Path.Combine(_fixture.Hosts, "vm"));
        Directory.CreateDirectory(Path.Combine(_fixture.Hosts, "vm"));
        File.CreateSymbolicLink(path, Path.Combine(_fixture.Outside, "disk.raw"));
        Assert.ThrowsAny<IOException>(() => _fixture.Roots.OpenResolved(path));
    }

    [Fact]
    public async Task While_links_are_exchanged_all_the_time_nothing_from_outside_is_ever_opened()
    {
        File.WriteAllText(Path.Combine(_fixture.Outside, "disk.raw"), "secret");
        var path = _fixture.Write("real/disk.raw", "mine");
        var swapped = Path.Combine(_fixture.Hosts, "vm");
        using var stop = new CancellationTokenSource();
        var attacker = Task.Run(() =>
        {
            for (var index = 0; !stop.IsCancellationRequested; index++)
            {
                File.Delete(swapped);
                Directory.CreateSymbolicLink(swapped, index % 2 == 0 ? _fixture.Outside : Path.Combine(_fixture.Hosts, "real"));
            }
        });
        var opened = 0;
        var refused = 0;
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (clock.ElapsedMilliseconds < 500 || ((opened == 0 || refused == 0) && clock.ElapsedMilliseconds < 10_000))
        {
            try
            {
                using var file = _fixture.Roots.OpenFile(Path.Combine(swapped, "disk.raw"));
                Assert.Equal(4, RandomAccess.GetLength(file.Handle));
                Assert.Equal(path, file.RealPath);
                opened++;
            }
            catch (PathRefusedException)
            {
                refused++;
            }
            catch (IOException)
            {
                // Just then there was no link at all.
            }
        }

        await stop.CancelAsync();
        await attacker;
        Assert.True(opened > 0 && refused > 0, $"{opened} opened, {refused} refused");
    }

    [Fact]
    public void No_text_of_dots_slashes_and_names_reaches_outside()
    {
        Directory.CreateDirectory(Path.Combine(_fixture.Hosts, "a"));
        File.WriteAllText(Path.Combine(_fixture.Outside, "secret"), "x");
        var part = Gen.OneOf(new[] { "..", ".", "", "a", "outside", "secret", "hosts", "%2e%2e", "..\\", "\0", "~" }.Select(Gen.Const).ToArray<IGen<string>>());
        part.Array[0, 8].Sample(parts =>
        {
            var path = _fixture.Hosts + "/" + string.Join('/', parts);
            try
            {
                using var folder = _fixture.Roots.OpenFolder(path);
                Assert.StartsWith(_fixture.Hosts, folder.RealPath, StringComparison.Ordinal);
            }
            catch (IOException)
            {
                // Refused, or not there.
            }
        });
    }
}
