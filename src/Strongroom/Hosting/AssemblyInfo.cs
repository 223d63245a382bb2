using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Strongroom.Hosting.Tests")]
