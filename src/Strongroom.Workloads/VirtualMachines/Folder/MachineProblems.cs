using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Folder;

/// <summary>What was found wrong with a machine; all of it is told, the first gives the kind.</summary>
internal sealed class MachineProblems
{
    private readonly List<string> _texts = [];

    public MachineProblem Kind { get; private set; }

    public string? Text => _texts.Count == 0 ? null : string.Join(' ', _texts);

    public void Add(MachineProblem kind, string? text)
    {
        if (text is null)
            return;
        if (_texts.Count == 0)
            Kind = kind;
        _texts.Add(text);
    }
}
