using Strongroom.Workloads.FileShares.Smb.Child;
using Strongroom.Workloads.VirtualMachines.Files.Child;
using Strongroom.Workloads.VirtualMachines.Libvirt.Live;

// First of all: this process reads what a stranger wrote, and shall have loaded and opened nothing else.
if (args is [ReaderChild.Verb, .. var rest]) return ReaderChild.Run(rest);
if (args is [SmbChild.Verb]) return SmbChild.Run();
if (args is [FreezeGuard.Verb]) return FreezeGuard.Run();
return await Strongroom.Cli.CommandLine.RunAsync(args);
