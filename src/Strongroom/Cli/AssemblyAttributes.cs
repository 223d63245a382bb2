using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Strongroom.Cli.Tests")]
