using Strongroom.Store.Tests.Trees;

switch (args)
{
    case ["--tree-backup", var vault, var folder]:
        return await TreeProcess.BackUpAsync(vault, folder);
    case ["--tree-restore", var vault, var folder]:
        return await TreeProcess.RestoreAsync(vault, folder);
    default:
        // Without arguments of ours this is a test program.
        return await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
}
