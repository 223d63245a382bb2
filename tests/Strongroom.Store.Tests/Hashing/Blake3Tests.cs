using Strongroom.Store.Hashing;

namespace Strongroom.Store.Tests.Hashing;

public sealed class Blake3Tests
{
    private static readonly byte[] s_key = "whats the Elvish word for friend"u8.ToArray();

    /// <summary>The key and the inputs (bytes that count from 0 to 250 and begin again) are those of the test vectors that BLAKE3 is published with; more
    /// lengths, and all results, are of <c>b3sum --keyed</c> 1.2.0.</summary>
    public static TheoryData<int, string> Vectors => new()
    {
        { 0, "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26" },
        { 1, "6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b" },
        { 2, "5392ddae0e0a69d5f40160462cbd9bd889375082ff224ac9c758802b7a6fd20a" },
        { 63, "bb1eb5d4afa793c1ebdd9fb08def6c36d10096986ae0cfe148cd101170ce37ae" },
        { 64, "ba8ced36f327700d213f120b1a207a3b8c04330528586f414d09f2f7d9ccb7e6" },
        { 65, "c0a4edefa2d2accb9277c371ac12fcdbb52988a86edc54f0716e1591b4326e72" },
        { 1_023, "c951ecdf03288d0fcc96ee3413563d8a6d3589547f2c2fb36d9786470f1b9d6e" },
        { 1_024, "75c46f6f3d9eb4f55ecaaee480db732e6c2105546f1e675003687c31719c7ba4" },
        { 1_025, "357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69" },
        { 2_048, "879cf1fa2ea0e79126cb1063617a05b6ad9d0b696d0d757cf053439f60a99dd1" },
        { 2_049, "9f29700902f7c86e514ddc4df1e3049f258b2472b6dd5267f61bf13983b78dd5" },
        { 3_072, "044a0e7b172a312dc02a4c9a818c036ffa2776368d7f528268d2e6b5df191770" },
        { 4_096, "befc660aea2f1718884cd8deb9902811d332f4fc4a38cf7c7300d597a081bfc0" },
        { 4_097, "00df940cd36bb9fa7cbbc3556744e0dbc8191401afe70520ba292ee3ca80abbc" },
        { 5_120, "2c493e48e9b9bf31e0553a22b23503c0a3388f035cece68eb438d22fa1943e20" },
        { 8_192, "dc9637c8845a770b4cbf76b8daec0eebf7dc2eac11498517f08d44c8fc00d58a" },
        { 8_193, "954a2a75420c8d6547e3ba5b98d963e6fa6491addc8c023189cc519821b4a1f5" },
        { 16_384, "9e9fc4eb7cf081ea7c47d1807790ed211bfec56aa25bb7037784c13c4b707b0d" },
        { 16_385, "9f1e8750b485576aa8af42e403bfb340665b45a952799d0155756c994db7dfd2" },
        { 17_000, "79eb2e14b3f03ffb21b21cd0cbd37b422cf5fcc33245308e306dcbdf868ee2ca" },
        { 31_744, "efa53b389ab67c593dba624d898d0f7353ab99e4ac9d42302ee64cbf9939a419" },
        { 65_536, "160fb7538a11d83b9b311825a6baef08484d6aabb8276900a1fb08648085cca2" },
        { 102_400, "1c35d1a5811083fd7119f5d5d1ba027b4d01c0c6c49fb6ff2cf75393ea5db4a7" },
        { 262_144, "78b2f14279f6b0c44ad68e55dbf038e8e5a7f5d09cd328e8b4a8ce0f6ea900a0" },
        { 262_145, "d90e1ca9e8c450f1937898a2a38d4fe2e6977cfa280db88213603eb9e61af23d" },
        { 1_000_000, "6202caf0bdfc1a56b256113502d23eceafbdac9d3bb5c235033d66d46e8a512b" },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Keyed_hashes_are_those_of_others_whatever_the_width_of_vectors(int length, string expected)
    {
        var input = Enumerable.Range(0, length).Select(i => (byte)(i % 251)).ToArray();
        Assert.All([1, 4, 8, 16], lanes => Assert.Equal(expected, Hash(input, lanes)));
    }

    [Fact]
    public void All_widths_agree_on_any_length_and_alignment()
    {
        var random = new Random(1);
        var bytes = new byte[300_000];
        random.NextBytes(bytes);
        for (var i = 0; i < 300; i++)
        {
            var start = random.Next(70);
            var input = bytes.AsSpan(start, random.Next(random.Next(2) == 0 ? 40_000 : bytes.Length - start)).ToArray();
            var expected = Hash(input, 1);
            Assert.All([4, 8, 16], lanes => Assert.Equal(expected, Hash(input, lanes)));
        }
    }

    [Fact]
    public void Another_key_gives_another_hash()
    {
        var (one, other) = (new byte[32], new byte[32]);
        Blake3.KeyedHash(s_key, "text"u8, one);
        Blake3.KeyedHash([.. s_key.Reverse()], "text"u8, other);
        Assert.NotEqual(one, other);
    }

    private static string Hash(byte[] input, int lanes)
    {
        var output = new byte[Blake3.OutputLengthBytes];
        Blake3.KeyedHash(s_key, input, output, lanes);
        return Convert.ToHexStringLower(output);
    }
}
