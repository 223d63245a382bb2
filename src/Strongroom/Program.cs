return await Strongroom.Cli.CommandLine.RunAsync(args);
