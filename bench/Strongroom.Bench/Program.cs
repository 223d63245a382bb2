using Strongroom.Bench;

return args switch
{
    ["store", .. var rest] when StoreBenchOptions.TryParse(rest, out var options) => await StoreBench.RunAsync(options),
    ["soak", var folder] => await Soak.RunAsync(folder),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("""
        usage: Strongroom.Bench store --image FILE [--second FILE] [--vault FOLDER]
               Strongroom.Bench soak FOLDER

        Backs up a raw disk image, then the second one as its increment (read and compared with the first), then the first again
        unchanged, restores and verifies; prints wall and CPU seconds, bytes and the peak of memory for each step.
        FOLDER must be empty or absent; by default it is a temporary folder that is removed.

        soak backs up, deletes and collects until it is killed (kill -9 at any moment), and first proves, each time it starts, that
        every snapshot that earlier runs were promised restores to the bytes it had.
        """);
    return 2;
}
