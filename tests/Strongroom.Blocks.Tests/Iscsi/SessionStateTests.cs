using CsCheck;

namespace Strongroom.Blocks.Tests.Iscsi;

/// <summary>Random moves of three initiator ports and of the target's owner, against a model. A failure prints its seed and the shortest row of moves that shows it.</summary>
public sealed class SessionStateTests
{
    private const int Block = 512;
    private const int Blocks = 64;
    private const int Sessions = 2;
    private const int Overlays = 2;

    private static readonly Gen<Step> Steps = Gen.Select(
        Gen.Frequency(
            (6, Gen.Const(Move.LogIn)), (1, Gen.Const(Move.LogInWithWrongSecret)), (8, Gen.Const(Move.Read)), (6, Gen.Const(Move.Write)), (3, Gen.Const(Move.WriteWhenAsked)),
            (2, Gen.Const(Move.LogOut)), (3, Gen.Const(Move.LoseConnection)), (1, Gen.Const(Move.BreakProtocol)), (1, Gen.Const(Move.AbortNothing)),
            (2, Gen.Const(Move.ResetUnit)), (1, Gen.Const(Move.ResetTarget)), (1, Gen.Const(Move.RemoveTarget)), (3, Gen.Const(Move.AddTarget))),
        Gen.Byte[1, 3],
        Gen.Bool.Select(isSecond => isSecond ? (byte)5 : (byte)0),
        Gen.Int[0, Blocks - 8],
        Gen.Int[1, 8],
        Gen.Int,
        (move, port, lun, block, blocks, seed) => new Step(move, port, lun, block, blocks, seed));

    [Fact]
    public async Task Ports_see_the_disk_and_their_own_writes_and_nobody_gets_in_where_nobody_may() =>
        await Steps.Array[1, 40].SampleAsync(
            async steps =>
            {
                await using var world = new World();
                foreach (var step in steps)
                    await world.DoAsync(step);
                await world.AssertEndAsync();
            },
            iter: 150, threads: 1, print: steps => string.Join('\n', steps.Select(step => step.ToString())));

    private sealed class World : IAsyncDisposable
    {
        private readonly IscsiLab lab = new(Sources.Noise(Blocks * Block, 77), change: options => options with { SessionsOfTarget = Sessions, OverlaysOfTarget = Overlays });
        private readonly Dictionary<byte, RawInitiator> initiators = [];
        private readonly Dictionary<byte, PortModel> ports = [];
        private bool hasTarget = true;

        public World()
        {
            foreach (var port in (byte[])[1, 2, 3])
                ports[port] = new(lab.Content);
        }

        private int LoggedIn => ports.Values.Count(port => port.IsLoggedIn);

        public async Task DoAsync(Step step)
        {
            switch (step.Move)
            {
                case Move.LogIn: await LogInAsync(step.Port); break;
                case Move.LogInWithWrongSecret: await RefuseAsync(step.Port, "secret-of-nobody", hasTarget ? 0x0201u : 0x0203u); break;
                case Move.RemoveTarget: await RemoveAsync(); break;
                case Move.AddTarget: Add(); break;
                default:
                    if (ports[step.Port].IsLoggedIn)
                        await DoAsync(step, ports[step.Port], initiators[step.Port]);
                    break;
            }

            await SettleAsync();
        }

        /// <summary>The disk was never written, and what the ports have is as it must be.</summary>
        public async Task AssertEndAsync()
        {
            foreach (var (port, model) in ports.Where(pair => pair.Value.IsLoggedIn))
            {
                foreach (var lun in (byte[])[0, 5])
                    await ReadAsync(new(Move.Read, port, lun, 0, 16, 0), model, initiators[port]);
            }

            Assert.Equal(lab.Content, await Sources.ReadAllAsync(lab.Disk));
            Assert.Empty(lab.OverlayFiles);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var initiator in initiators.Values)
                initiator.Dispose();
            await lab.DisposeAsync();
        }

        private async Task DoAsync(Step step, PortModel model, RawInitiator initiator)
        {
            switch (step.Move)
            {
                case Move.Read: await ReadAsync(step, model, initiator); break;
                case Move.Write: await WriteAsync(step, model, initiator); break;
                case Move.WriteWhenAsked: await WriteWhenAskedAsync(step, model, initiator); break;
                case Move.AbortNothing: Assert.Equal(1, await ManageAsync(initiator, 1, step.Lun)); break;
                case Move.ResetUnit:
                    Assert.Equal(0, await ManageAsync(initiator, 5, step.Lun));
                    model.Reset(step.Lun);
                    break;
                case Move.ResetTarget:
                    Assert.Equal(0, await ManageAsync(initiator, 7, step.Lun));
                    foreach (var (port, other) in ports.Where(pair => pair.Value.IsLoggedIn))
                    {
                        await initiators[port].RequireHangUpAsync();
                        other.Lose();
                    }

                    break;
                case Move.LogOut:
                    await initiator.SendAsync(initiator.Header(0x46, 0x80), []);
                    Assert.Equal(0x26, (await initiator.ReceiveAsync()).Opcode);
                    await initiator.RequireHangUpAsync();
                    model.Forget();
                    break;
                case Move.BreakProtocol:
                    await initiator.SendAsync(initiator.Header(0x5f, 0x80), []);
                    await initiator.RequireHangUpAsync();
                    model.Lose();
                    break;
                default:
                    // In the middle of a header, at times.
                    await initiator.SendBytesAsync(new byte[step.Blocks - 1]);
                    initiator.Dispose();
                    model.Lose();
                    break;
            }
        }

        private async Task LogInAsync(byte port)
        {
            var model = ports[port];
            if (!hasTarget)
            {
                await RefuseAsync(port, IscsiLab.Secret, 0x0203);
                return;
            }

            if ((!model.IsLoggedIn && LoggedIn == Sessions) || (!model.HasOverlay && ports.Values.Count(other => other.HasOverlay) == Overlays))
            {
                await RefuseAsync(port, IscsiLab.Secret, 0x0302);
                return;
            }

            var initiator = await RawInitiator.ConnectAsync(lab, port);
            Assert.Equal(0u, (await initiator.LogInAsync()).Number(36) >> 16);
            if (model.IsLoggedIn)
            {
                await initiators[port].RequireHangUpAsync();
                model.Lose();
            }

            initiators[port] = initiator;
            model.LogIn();
        }

        private async Task RefuseAsync(byte port, string secret, uint status)
        {
            using var initiator = await RawInitiator.ConnectAsync(lab, port);
            Assert.Equal(status, (await initiator.LogInAsync(secret: secret)).Number(36) >> 16);
        }

        private async Task RemoveAsync()
        {
            Assert.Equal(hasTarget, await lab.Server.RemoveTargetAsync(IscsiLab.TargetName));
            hasTarget = false;
            foreach (var (port, model) in ports)
            {
                if (model.IsLoggedIn)
                    await initiators[port].RequireHangUpAsync();
                model.Forget();
            }
        }

        private void Add()
        {
            if (!hasTarget)
                lab.Server.AddTarget(new(IscsiLab.TargetName, IscsiLab.Credentials, [new(0, lab.Disk, "SERIAL-0"), new(5, lab.Disk, "SERIAL-5")]));
            hasTarget = true;
        }

        private static async Task ReadAsync(Step step, PortModel model, RawInitiator initiator)
        {
            var answer = await initiator.RunAsync(Cdb.Read10((uint)step.Block, (ushort)step.Blocks), step.Blocks * Block, lun: step.Lun);
            if (model.TakeReset(step.Lun))
                Assert.Equal(0x062903, Cdb.SenseOf(answer));
            else
                Assert.Equal(model.Unit(step.Lun).AsSpan(step.Block * Block, step.Blocks * Block).ToArray(), answer.Data);
        }

        private static async Task WriteAsync(Step step, PortModel model, RawInitiator initiator)
        {
            var data = Sources.Noise(step.Blocks * Block, step.Seed);
            AssertWritten(step, model, await initiator.RunAsync(Cdb.Write10((uint)step.Block, (ushort)step.Blocks), data: data, lun: step.Lun), data);
        }

        private static async Task WriteWhenAskedAsync(Step step, PortModel model, RawInitiator initiator)
        {
            var data = Sources.Noise(step.Blocks * Block, step.Seed);
            var tag = await initiator.CommandAsync(Cdb.Write10((uint)step.Block, (ushort)step.Blocks), 0xa0, data.Length, lun: step.Lun);
            var answer = await initiator.ReceiveAsync();
            if (answer.Opcode == 0x31)
            {
                await initiator.DataOutAsync(tag, answer.Number(20), 0, 0, data, isFinal: true);
                answer = await initiator.ReceiveAsync();
            }

            AssertWritten(step, model, answer, data);
        }

        private static void AssertWritten(Step step, PortModel model, RawPdu answer, byte[] data)
        {
            if (model.TakeReset(step.Lun))
            {
                Assert.Equal(0x062903, Cdb.SenseOf(answer));
                return;
            }

            Assert.Equal((0x21, 0), (answer.Opcode, answer.Header[3]));
            data.CopyTo(model.Unit(step.Lun), step.Block * Block);
        }

        private static async Task<int> ManageAsync(RawInitiator initiator, byte function, byte lun)
        {
            var header = initiator.Header(0x42, (byte)(0x80 | function));
            header[9] = lun;
            RawInitiator.Put(header, 20, 0xdead);
            RawInitiator.Put(header, 24, initiator.CommandSn);
            await initiator.SendAsync(header, []);
            var answer = await initiator.ReceiveAsync();
            Assert.Equal(0x22, answer.Opcode);
            return answer.Header[2];
        }

        /// <summary>The server notices a lost connection a moment later.</summary>
        private async Task SettleAsync()
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            while (lab.Server.Targets.GetValueOrDefault(IscsiLab.TargetName) != LoggedIn)
                await Task.Delay(1, patience.Token);
        }
    }
}
