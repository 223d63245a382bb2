using System.Text.Json.Nodes;
using Strongroom.Arm;

namespace Strongroom.Api.RecoveryServices;

/// <summary>
/// Members of a request that this version reads nothing from, but whose type the contract fixes: a client that sends another type has a fault that it should hear of.
/// </summary>
internal static class BodyShape
{
    /// <exception cref="ArmException">400: one of them is there and is not a text.</exception>
    public static void CheckTexts(this JsonObject body, params ReadOnlySpan<string> names)
    {
        foreach (var name in names) body.OptionalText(name);
    }

    /// <exception cref="ArmException">400: one of them is there and is neither true nor false.</exception>
    public static void CheckFlags(this JsonObject body, params ReadOnlySpan<string> names)
    {
        foreach (var name in names) body.OptionalFlag(name);
    }

    /// <exception cref="ArmException">400: one of them is there and is not an object.</exception>
    public static void CheckObjects(this JsonObject body, params ReadOnlySpan<string> names)
    {
        foreach (var name in names) body.OptionalObject(name);
    }

    /// <exception cref="ArmException">400: one of them is there and is not an array.</exception>
    public static void CheckArrays(this JsonObject body, params ReadOnlySpan<string> names)
    {
        foreach (var name in names) body.OptionalArray(name);
    }
}
