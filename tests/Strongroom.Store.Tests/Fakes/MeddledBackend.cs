namespace Strongroom.Store.Tests.Fakes;

/// <summary>A backend in which, once armed, garbage takes the name of the next small blob a moment before its writer does.</summary>
internal sealed class MeddledBackend(IBlobBackend inner) : PassThroughBackend(inner)
{
    public bool IsArmed { get; set; }

    public override async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (IsArmed)
        {
            IsArmed = false;
            await base.PutIfAbsentAsync(name, new byte[300], cancellationToken);
        }

        return await base.PutIfAbsentAsync(name, content, cancellationToken);
    }
}
