namespace Strongroom.Libvirt.Machines;

/// <summary>The login prompt on the screen of a machine that booted the live guest's disk.</summary>
internal static class LoginPrompt
{
    private const int Columns = 80, Rows = 25;

    /// <summary>
    /// Waits for it, and compares the picture of the screen with the text that the guest's kernel says is there: a cell is lit
    /// where it has a character, and only there.
    /// </summary>
    /// <param name="name">The picture is kept under this name.</param>
    public static async Task<Screenshot> WaitAsync(LiveMachine machine, string name, CancellationToken cancellationToken)
    {
        var text = (await machine.RunAsync("until grep -q login: /dev/vcs1; do sleep 0.1; done; cat /dev/vcs1", cancellationToken)).Succeeded().StandardOutput;
        var picture = await machine.TakeScreenshotAsync(cancellationToken);
        picture.Keep(name);
        Assert.Equal(Columns * Rows, text.Length);
        // The cell after the prompt may hold the cursor.
        var cursor = text.IndexOf("login:", StringComparison.Ordinal) + "login: ".Length;
        foreach (var cell in Enumerable.Range(0, text.Length).Where(cell => cell != cursor))
            Assert.True(picture.IsLit(cell % Columns, cell / Columns) == (text[cell] != ' '), $"{name}.png, column {cell % Columns}, row {cell / Columns}: '{text[cell]}'");
        return picture;
    }
}
