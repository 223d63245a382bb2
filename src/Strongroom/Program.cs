using Strongroom.Workloads.VirtualMachines.Files.Child;

// First of all: this process reads what a stranger wrote, and shall have loaded and opened nothing else.
if (args is [ReaderChild.Verb, .. var rest]) return ReaderChild.Run(rest);
return await Strongroom.Cli.CommandLine.RunAsync(args);
