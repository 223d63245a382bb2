using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Strongroom.Demo.Tests")]
