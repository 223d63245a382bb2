namespace Strongroom.Store;

/// <summary>How the store starts work beside the caller's.</summary>
internal static class Workers
{
    /// <summary>Starts on the caller's scheduler: the thread pool unless the caller chose another. A simulation chooses one that is deterministic.</summary>
    public static Task StartAsync(Func<Task> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Current).Unwrap();

    /// <inheritdoc cref="StartAsync(Func{Task})"/>
    public static Task<T> StartAsync<T>(Func<Task<T>> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Current).Unwrap();
}
