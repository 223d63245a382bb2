using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Workloads.VirtualMachines.Libvirt.Live;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.Tests.VirtualMachines.Libvirt;

/// <summary>What comes of a freeze; guards are scripts.</summary>
public sealed class GuestFreezeTests : IDisposable
{
    private const string Ready = "for i in 1 2 3 4 5 6; do read -r line; done; echo ready; ";
    private const string Obedient = Ready + "read -r told; test \"$told\" = thawed";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("strongroom-freeze-");
    private readonly List<string> _calls = [];
    private readonly List<string> _notes = [];

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void All_that_was_frozen_and_thawed_was_held()
    {
        using var freeze = Freeze(3, 3, Obedient);
        Assert.Equal(["freeze"], _calls);
        freeze.End();
        Assert.NotNull(freeze.Held);
        Assert.Equal(["freeze", "thaw"], _calls);
        Assert.Empty(_notes);
    }

    [Theory]
    [InlineData(0, 0, "frozen nothing")]
    [InlineData(3, 0, "by itself")]
    [InlineData(3, 2, "by itself")]
    public void What_was_not_frozen_to_the_end_was_not_held(int frozen, int thawed, string note)
    {
        using var freeze = Freeze(frozen, thawed, Obedient);
        freeze.End();
        Assert.Null(freeze.Held);
        Assert.Contains(note, Assert.Single(_notes), StringComparison.Ordinal);
        Assert.Equal(["freeze", "thaw"], _calls);
    }

    [Fact]
    public void What_the_guard_has_thawed_was_not_held()
    {
        using var freeze = Freeze(3, 3, Ready + "read -r told; exit 1");
        freeze.End();
        Assert.Null(freeze.Held);
        Assert.Contains("let go before", Assert.Single(_notes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exit 2")]
    [InlineData(Ready)]
    public void Without_a_guard_that_is_there_nothing_is_frozen(string guard)
    {
        using var freeze = Freeze(3, 3, guard, waitsForEnd: true);
        freeze.End();
        Assert.Null(freeze.Held);
        Assert.Empty(_calls);
        Assert.Contains("guards", Assert.Single(_notes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_freeze_that_fails_is_thawed()
    {
        using var freeze = new GuestFreeze(() => throw new LibvirtException(1, "no"), () => Call("thaw", 1), () => Start(Obedient), _notes, NullLogger.Instance);
        freeze.End();
        Assert.Null(freeze.Held);
        Assert.Equal(["thaw"], _calls);
        Assert.Contains("could not be frozen", Assert.Single(_notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Where_no_snapshot_is_taken_all_is_thawed_without_a_word()
    {
        Freeze(3, 0, Obedient).Dispose();
        Assert.Equal(["freeze", "thaw"], _calls);
        Assert.Empty(_notes);
    }

    private GuestFreeze Freeze(int frozen, int thawed, string guard, bool waitsForEnd = false) =>
        new(() => Call("freeze", frozen), () => Call("thaw", thawed), () => Start(guard, waitsForEnd), _notes, NullLogger.Instance);

    private int Call(string name, int answer)
    {
        _calls.Add(name);
        return answer;
    }

    private FreezeGuard? Start(string script, bool waitsForEnd = false)
    {
        var path = Path.Combine(_folder.FullName, Guid.NewGuid().ToString("N"));
        // Not written here: a process that another test starts meanwhile would have it open, and it could not be run.
        using (var writer = Process.Start("/bin/sh", ["-c", "printf '%s' \"$1\" >\"$2\" && chmod 500 \"$2\"", "sh", $"#!/bin/sh\n{script}\n", path])) writer.WaitForExit();
        var guard = FreezeGuard.Start(new() { Executable = path }, "test:///default", null, Guid.NewGuid(), 1);
        if (waitsForEnd && guard is not null) Assert.True(SpinWait.SpinUntil(() => !guard.IsThere, TimeSpan.FromSeconds(20)));
        return guard;
    }
}
