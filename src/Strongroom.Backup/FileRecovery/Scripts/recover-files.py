#!/usr/bin/env python3
"""Shows the files of a recovery point: its volumes appear, read-only, below a folder of this machine.

Run it on a Linux machine with open-iscsi:    python3 THIS-FILE
Copy what you need, then undo everything:     python3 THIS-FILE clean

The disks come from the backup server by iSCSI through a TLS tunnel. What this machine writes to them (a file system
replays its journal, a volume group gets another name) is kept by the server for this session only; the recovery point
itself never changes. Python 3.9 or newer and its standard library are enough.
"""

# ---- values of this recovery point: filled in by the server ----
VmName=""
MachineName=""
RecoveryPointTime=""
TargetPortalAddress=""
TargetPortalName=""
TargetPortalPortNumber=""
TargetPortalPath=""
TargetPortalCertificates=""
TargetNodeAddress=""
TargetUserName=""
TargetPassword=""
InitiatorChapName=""
InitiatorChapPassword=""
ScriptId=""
ExpiresAt=""
Disks=""
# ---- end of values ----

import argparse
import dataclasses
import datetime
import fcntl
import getpass
import glob
import json
import os
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

FROM_ITSELF = "This script was asked for on the server itself, by an address that means another machine everywhere else."
ASK_FOR_PASSWORD = "UserInput012345"
PASSWORD_LENGTH = 15
STATE_ROOT = "/run/strongroom-recovery"
TUNNEL_PORTS = range(5365, 5397)
ISCSI_PORT = 3260
BUFFER_BYTES = 1 << 20
HELP_END = """commands:
  mount    connect, and mount every volume that can be (what is done without a command)
  status   what is mounted, and until when
  clean    unmount, disconnect, and leave nothing behind; may be repeated

exit codes:
  0  done
  1  it failed; the message says why, and nothing is left behind
  2  the command line is wrong
  3  mount: the disks are connected, but no volume could be mounted; status: nothing is mounted
  4  clean: something could not be undone yet; the message says what
"""


class Failure(Exception):
    """What is told to the user in a sentence; the command ends."""


class SessionEnded(Failure):
    """The server does not know this script any more."""


@dataclasses.dataclass
class Volume:
    """A volume of the recovery point, mounted or with the reason why not."""

    device: str
    disk: str
    type: str
    label: str
    sizeBytes: int
    mountPoint: str = ""
    reason: str = ""
    uuid: str = ""


quiet = False


def say(text):
    print(text, file=sys.stderr if quiet else sys.stdout, flush=True)


def run(*command, timeout=60, environment=None):
    """Runs a program without a shell. A missing one gives 127 and one that takes too long 124; nothing is raised."""
    settings = {**os.environ, "LC_ALL": "C", "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin", **(environment or {})}
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=settings, text=True, errors="replace"
        )
    except OSError as problem:
        return subprocess.CompletedProcess(command, 127, "", f"{command[0]}: {problem.strerror}")
    try:
        output, error = process.communicate(timeout=timeout)
        return subprocess.CompletedProcess(command, process.returncode, output, error)
    except subprocess.TimeoutExpired:
        process.kill()
        try:
            process.communicate(timeout=2)
        except subprocess.TimeoutExpired:
            pass  # It waits in the kernel for a disk that is gone; waiting with it helps nobody.
        return subprocess.CompletedProcess(command, 124, "", f"{command[0]} took longer than {timeout} s")


def has(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is not None


def last_line(result):
    """What a program complained about, in one line. mount's hint to look into dmesg comes after its reason."""
    lines = [line.strip() for line in (result.stderr or result.stdout).splitlines() if line.strip()]
    lines = [line for line in lines if "dmesg(1)" not in line and not line.startswith("WARNING")]
    return lines[-1] if lines else f"{result.args[0]} ended with {result.returncode}"


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


# ---- the tunnel: iSCSI goes to a port of 127.0.0.1, and from there through TLS to the server ----------------------


def host_text():
    """The name as a Host header has it: an IPv6 address in brackets (RFC 9110, 7.2)."""
    return f"[{TargetPortalName}]" if ":" in TargetPortalName else TargetPortalName


def connect(address, port):
    """Opens TLS to the server and asks for the tunnel. Returns the socket and the bytes that came after the answer."""
    try:
        # With an authority of its own the machine's trust store counts for nothing.
        trust = ssl.create_default_context(cadata=TargetPortalCertificates or None)
        trust.minimum_version = ssl.TLSVersion.TLSv1_2
        plain = socket.create_connection((address, port), timeout=20)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        stream = trust.wrap_socket(plain, server_hostname=TargetPortalName)
    except ssl.SSLCertVerificationError as problem:
        raise Failure(f"The server at {address}:{port} has no certificate for {TargetPortalName} that can be trusted: {problem.verify_message}") from problem
    except (OSError, ValueError) as problem:
        raise Failure(f"The server at {address}:{port} cannot be reached: {problem}. --portal HOST:PORT names another way to it.{' ' + FROM_ITSELF if address in ('localhost', '127.0.0.1', '::1') else ''}") from problem
    try:
        stream.sendall(f"GET {TargetPortalPath} HTTP/1.1\r\nHost: {host_text()}:{TargetPortalPortNumber}\r\nConnection: Upgrade\r\nUpgrade: iscsi\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head and len(head) < 65536:
            part = stream.recv(4096)
            if not part:
                break
            head += part
        head, _, rest = head.partition(b"\r\n\r\n")
        status = head.split(b"\r\n")[0].decode(errors="replace").split(" ", 2)
        code = status[1] if len(status) > 1 else ""
        if code == "101":
            return stream, rest
        stream.close()
    except OSError as problem:
        stream.close()
        raise Failure(f"The server at {address}:{port} ended the connection: {problem}") from problem
    if code in ("404", "410"):
        raise SessionEnded("The server does not know this script any more: it was revoked, its time is over, or the server was started again. Ask for a new one.")
    raise Failure(f"The server at {address}:{port} answered {' '.join(status) or 'nothing'} instead of opening the tunnel.")


def pump(local, remote, rest):
    """Copies both ways until either side ends. One thread does both, for a TLS connection must not be used by two."""
    local.setblocking(False)
    remote.setblocking(False)
    space = memoryview(bytearray(BUFFER_BYTES))
    up, down, is_last = memoryview(b""), memoryview(rest), False
    while down or not is_last:
        moved = False
        try:
            if not up:
                up = memoryview(local.recv(BUFFER_BYTES))
                if not up:
                    return
                moved = True
        except BlockingIOError:
            pass
        try:
            while up:
                up = up[remote.send(up):]
                moved = True
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        except OSError:
            up = memoryview(b"")  # It takes nothing any more; what it said last is read below.
        filled = 0
        try:
            while not down and not is_last and filled < BUFFER_BYTES:
                count = remote.recv_into(space[filled:])
                filled += count
                # What came before the end is still carried: a refusal, for one.
                is_last = count == 0
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            is_last = True
        if filled:
            down, moved = space[:filled], True
        try:
            while down:
                down = down[local.send(down):]
                moved = True
        except BlockingIOError:
            pass
        if not moved:
            # Both are always looked at for what comes in; a side is read only when the other has taken what came before.
            select.select([remote] * (not down) + [local] * (not up), [remote] * bool(up) + [local] * bool(down), [], 60)


def carry(client, address, port, on_end):
    try:
        remote, rest = connect(address, port)
    except SessionEnded:
        client.close()
        on_end()
        return
    except Failure as problem:
        print(problem, file=sys.stderr, flush=True)
        client.close()
        return
    with client, remote:
        try:
            pump(client, remote, rest)
        except OSError as problem:
            print(f"The tunnel's connection ended: {problem}", file=sys.stderr, flush=True)


def is_over(address, port):
    """Whether the time of this script is over. A mount may have been renewed since it was written, so the server is asked."""
    try:
        connect(address, port)[0].close()
    except SessionEnded:
        return True
    except Failure:
        pass  # A server that cannot be reached for a moment has not said so.
    return False


def serve_tunnel(listener, address, port):
    """Until the server has ended the session. When its time is over, everything on this machine is undone as well."""
    ended = threading.Event()

    def end():
        ended.set()
        # A listener that is only closed would still sit in accept().
        listener.shutdown(socket.SHUT_RDWR)

    def watch():
        while time.time() < expires_at() or not is_over(address, port):
            # In steps, for a machine that sleeps or sets its clock.
            if ended.wait(60 if time.time() < expires_at() else 600):
                return
        end()

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()
    try:
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=carry, args=(client, address, port, end), daemon=True).start()
    except OSError:
        pass  # end() above
    listener.close()
    if time.time() >= expires_at():
        undo()


def start_tunnel(address, port):
    """Starts the tunnel as a process of its own and returns its port of 127.0.0.1."""
    ports = list(TUNNEL_PORTS)
    # Where SELinux is enforced iscsid may connect to iSCSI's own port only.
    if read_text("/sys/fs/selinux/enforce") == "1":
        ports.insert(0, ISCSI_PORT)
    listener = socket.socket()
    # Without it a port whose connections have just ended is refused for a minute.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for local_port in ports:
        try:
            listener.bind(("127.0.0.1", local_port))
            break
        except OSError:
            continue
    else:
        raise Failure(f"No port from {TUNNEL_PORTS[0]} to {TUNNEL_PORTS[-1]} of 127.0.0.1 is free.")
    listener.listen(8)
    with open(f"{state_folder()}/tunnel.log", "a", encoding="utf-8") as log:
        subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "--tunnel", ScriptId, str(listener.fileno()), address, str(port)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[listener.fileno()], start_new_session=True, cwd="/",
        )
    listener.close()
    return local_port


def tunnels():
    """The processes of this script's tunnel, found by their command line."""
    mark = b"\0--tunnel\0" + ScriptId.encode() + b"\0"
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                if mark in file.read():
                    yield int(path.split("/")[2])
        except OSError:
            continue


# ---- iSCSI --------------------------------------------------------------------------------------------------------


def sessions():
    """This target's sessions in sysfs; those of others are never looked at."""
    return [path for path in glob.glob("/sys/class/iscsi_session/session*") if read_text(f"{path}/targetname") == TargetNodeAddress]


def disks():
    """The disks of this target: LUN to kernel name ("sdb")."""
    found = {}
    for session in sessions():
        for path in glob.glob(f"{session}/device/target*/*/block/*"):
            found[int(path.split("/")[-3].split(":")[-1])] = os.path.basename(path)
    return dict(sorted(found.items()))


def node_records():
    """Where open-iscsi keeps its record of this target; the place differs between distributions."""
    return [path for root in ("/etc/iscsi", "/var/lib/iscsi", "/var/lib/open-iscsi") for path in glob.glob(f"{root}/nodes/{TargetNodeAddress}")]


def set_record(text, settings):
    """An open-iscsi record ("name = value" lines) with settings changed or added."""
    lines = [line for line in text.splitlines() if line.split(" = ")[0] not in settings]
    end = next((index for index, line in enumerate(lines) if line.startswith("# END RECORD")), len(lines))
    return "\n".join(lines[:end] + [f"{name} = {value}" for name, value in settings.items()] + lines[end:]) + "\n"


def write_record(port, settings):
    """Makes the node's record. Secrets are written into its file (0600, as open-iscsi made it), since every user could
    read them on the command line of `iscsiadm -o update`; that way is left for an open-iscsi that keeps it elsewhere."""
    node = ("iscsiadm", "-m", "node", "-T", TargetNodeAddress, "-p", f"127.0.0.1:{port}")
    made = run(*node, "-o", "new")
    if made.returncode != 0:
        raise Failure(f"open-iscsi did not take the target: {last_line(made)}")
    files = [path for root in node_records() for path in glob.glob(f"{root}/**", recursive=True) if os.path.isfile(path)]
    for path in files:
        text = set_record(read_text(path), settings)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_TRUNC), "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
    for name, value in {} if files else settings.items():
        run(*node, "-o", "update", "-n", name, "-v", str(value))


def log_in(port, password):
    start_iscsid()
    write_record(port, {
        "node.startup": "manual",
        "node.session.auth.authmethod": "CHAP",
        "node.session.auth.username": TargetUserName,
        "node.session.auth.password": password,
        "node.session.auth.username_in": InitiatorChapName,
        "node.session.auth.password_in": InitiatorChapPassword,
        "node.session.initial_login_retry_max": 2,
        # A server that is gone for longer gives errors instead of programs that hang.
        "node.session.timeo.replacement_timeout": 30,
        "node.session.scan": "auto",
    })
    login = run("iscsiadm", "-m", "node", "-T", TargetNodeAddress, "-p", f"127.0.0.1:{port}", "--login", timeout=90)
    if login.returncode == 24:
        raise Failure("The server refused the password, or its own answer was wrong. The password is the one that was shown with this script.")
    if login.returncode != 0:
        reported = re.search(r"initiator reported error \((.*)\)", login.stderr)
        raise Failure(f"iSCSI could not log in: {reported[1] if reported else last_line(login)}")


def start_iscsid():
    """iscsiadm speaks to iscsid by an abstract socket; systemd may hold it for an iscsid that starts when it is needed."""
    run("modprobe", "-q", "iscsi_tcp")

    def is_there():
        return "@ISCSIADM_ABSTRACT_NAMESPACE" in read_text("/proc/net/unix")

    if not is_there() and os.path.isdir("/run/systemd/system"):
        run("systemctl", "start", "iscsid.socket")
        if not is_there():
            run("systemctl", "start", "iscsid.service")
    if not is_there():
        run("iscsid", timeout=20)
    for _ in range(50):
        if is_there():
            return
        time.sleep(0.2)
    raise Failure("iscsid does not start. `iscsid -f` shows why; /etc/iscsi/initiatorname.iscsi must hold this machine's InitiatorName.")


def wait_for_disks():
    expected = len(json.loads(Disks))
    for _ in range(120):
        if len(disks()) >= expected:
            break
        time.sleep(0.5)
    settle()
    found = disks()
    if not found:
        raise Failure("The server was reached, but no disk appeared within 60 s.")
    if len(found) < expected:
        say(f"Only {len(found)} of {expected} disks appeared.")
    return found


def settle():
    if has("udevadm"):
        run("udevadm", "settle", "--timeout=30", timeout=40)
    else:
        time.sleep(2)


# ---- block devices ------------------------------------------------------------------------------------------------


def partitions(name):
    found = [os.path.basename(os.path.dirname(path)) for path in glob.glob(f"/sys/class/block/{name}/*/partition")]
    return sorted(found, key=lambda part: int(read_text(f"/sys/class/block/{part}/partition") or 0))


def above(names):
    """The device-mapper and md devices that stand on these devices and on nothing else, lowest first."""
    ours, found = set(names), []
    while True:
        more = []
        for path in glob.glob("/sys/class/block/*/slaves"):
            name = path.split("/")[-2]
            below = set(os.listdir(path)) if os.path.isdir(path) else set()
            if name not in ours and below and below <= ours:
                more += [name] + partitions(name)
        if not more:
            return found
        found += more
        ours.update(more)


def our_devices():
    below = [name for disk in disks().values() for name in [disk] + partitions(disk)]
    return below + above(below)


def release(names):
    """Takes away the devices that were put on ours, highest first. No disk is asked for it, so none that is gone can hold it up."""
    for name in reversed(above(names)):
        if read_text(f"/sys/class/block/{name}/partition"):
            continue
        if os.path.isdir(f"/sys/class/block/{name}/md"):
            run("mdadm", "--stop", f"/dev/{name}", timeout=30)
            continue
        mapped = read_text(f"/sys/class/block/{name}/dm/name")
        # One that a program still has open goes when that program closes it.
        if run("dmsetup", "remove", "--retry", mapped, timeout=30).returncode != 0:
            run("dmsetup", "remove", "--deferred", mapped, timeout=30)


def parse_blkid(text):
    """`blkid -o export`: NAME=value lines, with backslashes before what a shell would read otherwise."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name: re.sub(r"\\(.)", r"\1", value) for name, _, value in pairs}


def probe(name, disk):
    """What is on a device, read from the device itself."""
    facts = parse_blkid(run("blkid", "-p", "-o", "export", f"/dev/{name}", timeout=90).stdout)
    size = int(read_text(f"/sys/class/block/{name}/size") or 0) * 512
    mapped = read_text(f"/sys/class/block/{name}/dm/name")
    volume = Volume(f"/dev/mapper/{mapped}" if mapped else f"/dev/{name}", disk, facts.get("TYPE", ""), facts.get("LABEL", ""), size, uuid=facts.get("UUID", ""))
    return volume, facts


def leaves(name, disk):
    """The volumes of a disk: its partitions, or itself."""
    volume, facts = probe(name, disk)
    if "PTTYPE" in facts and not volume.type:
        if not partitions(name):
            run("partx", "-a", f"/dev/{name}")
            settle()
        found = []
        for part in partitions(name):
            volume, facts = probe(part, disk)
            # An extended partition only holds the logical ones.
            if facts.get("PART_ENTRY_SCHEME") != "dos" or facts.get("PART_ENTRY_TYPE") not in ("0x5", "0xf", "0x85"):
                found.append(volume)
        return found
    return [volume]


def kernel_name(device):
    return os.path.basename(os.path.realpath(device))


# ---- md and LVM ---------------------------------------------------------------------------------------------------


def assemble_arrays(volumes):
    """Starts the md arrays whose members are here. udev may have done so already."""
    found, groups = [], {}
    for volume in volumes:
        if volume.type == "linux_raid_member":
            groups.setdefault(volume.uuid, []).append(volume)
    for index, members in enumerate(groups.values()):
        devices = [member.device for member in members]
        started = above([kernel_name(device) for device in devices])
        if not started:
            if not has("mdadm"):
                result = subprocess.CompletedProcess(["mdadm"], 127, "", "a part of a RAID array; the package mdadm is not installed")
            else:
                result = run("mdadm", "--assemble", "--run", "--config=none", f"/dev/md/strongroom-{ScriptId[:8]}-{index}", *devices)
            settle()
            started = above([kernel_name(device) for device in devices])
        for member in members:
            member.reason = "a part of a RAID array, shown by itself" if started else last_line(result)
        for name in started:
            if not partitions(name) and os.path.isdir(f"/sys/class/block/{name}/md"):
                found += leaves(name, "RAID")
    return found


def lvm(*command):
    """LVM that knows no devices but ours, and keeps its configuration and its records in a folder of ours."""
    return run(*command, timeout=120, environment={"LVM_SYSTEM_DIR": f"{state_folder()}/lvm", "LVM_SUPPRESS_FD_WARNINGS": "1"})


def write_lvm_settings(devices):
    os.makedirs(f"{state_folder()}/lvm", mode=0o700, exist_ok=True)
    accepted = "".join(f'"a|^{re.escape(device)}$|", ' for device in devices)
    with open(f"{state_folder()}/lvm/lvm.conf", "w", encoding="utf-8") as file:
        file.write(
            f'devices {{ use_devicesfile=0 hints="none" filter=[ {accepted}"r|.*|" ] global_filter=[ {accepted}"r|.*|" ] }}\n'
            "backup { backup=0 archive=0 }\nactivation { monitoring=0 }\n"
        )


def import_groups(volumes):
    """Gives every volume group another name and other ids, so that it cannot be taken for one of this machine, and activates it."""
    members = [volume for volume in volumes if volume.type == "LVM2_member"]
    if not members:
        return []
    if not has("vgimportclone"):
        for member in members:
            member.reason = "a part of LVM; the package lvm2 is not installed"
        return []
    devices = [member.device for member in members]
    write_lvm_settings(devices)
    found, groups = [], {}
    for row in lvm_rows(lvm("pvs", "--reportformat", "json", "-o", "pv_name,vg_name,vg_uuid,vg_missing_pv_count"), "pv"):
        groups.setdefault(row["vg_uuid"], []).append(row)
    by_device = {member.device: member for member in members}
    for member in members:
        member.reason = "LVM cannot read it, or it is in no volume group"
    for rows in groups.values():
        mine = [by_device[row["pv_name"]] for row in rows if row["pv_name"] in by_device]
        group = rows[0]["vg_name"]
        if not group:
            continue
        if rows[0]["vg_missing_pv_count"] != "0":
            reason, logical = f"a part of the volume group {group}, of which a disk is missing here", []
        else:
            reason, logical = import_group(group, [member.device for member in mine])
        for member in mine:
            member.reason = reason
        for row in logical:
            found.append(logical_volume(row, group, mine[0].disk if len(mine) == 1 else "LVM"))
    return found


def import_group(group, devices):
    """Returns what to say of its disks, and the rows of its logical volumes."""
    wanted = f"{group}-{ScriptId[:8]}"
    for _ in range(3):
        # udev activates what it finds; a group that is in use is not imported.
        release([kernel_name(device) for device in devices])
        imported = lvm("vgimportclone", "--import", "--basevgname", wanted, *devices)
        if imported.returncode == 0:
            break
        time.sleep(2)
    else:
        return f"a part of the volume group {group}: {last_line(imported)}", []
    # vgimportclone counts on when the name is taken, which happens where two groups of the machine have one name.
    names = {row["vg_name"] for row in lvm_rows(lvm("pvs", "--reportformat", "json", "-o", "pv_name,vg_name"), "pv") if row["pv_name"] in devices}
    for name in names:
        lvm("vgchange", "--activate", "y", "--ignoreactivationskip", "--yes", name)
    settle()
    rows = [row for name in names for row in lvm_rows(lvm("lvs", "--reportformat", "json", "-o", "lv_name,lv_path,lv_active,lv_layout,lv_size", "--units", "b", "--nosuffix", name), "lv")]
    return f"a part of the volume group {group}, shown by itself", [row for row in rows if row["lv_path"] and "pool" not in row["lv_layout"]]


def lvm_rows(result, kind):
    try:
        return [row for report in json.loads(result.stdout)["report"] for row in report.get(kind, [])]
    except (ValueError, KeyError):
        return []


def logical_volume(row, group, disk):
    if row["lv_active"] != "active" or not os.path.exists(row["lv_path"]):
        return Volume(row["lv_path"], f"{disk} {group}/{row['lv_name']}", "", "", int(row["lv_size"]), reason="the logical volume could not be activated")
    volume, _ = probe(kernel_name(row["lv_path"]), f"{disk} {group}/{row['lv_name']}")
    return volume


# ---- mounting -----------------------------------------------------------------------------------------------------

# Read-only everywhere, but not on a read-only device: so the kernel replays a journal as after a loss of power.
# errors=... of an ext superblock may ask for a panic, which no foreign disk shall have.
MOUNTS = {
    "ext2": [("ext2", "errors=remount-ro")],
    "ext3": [("ext3", "errors=remount-ro")],
    "ext4": [("ext4", "errors=remount-ro")],
    "xfs": [("xfs", "nouuid")],
    "btrfs": [("btrfs", "subvolid=5")],
    "vfat": [("vfat", "utf8=1")],
    "ntfs": [("ntfs3", ""), ("ntfs-3g", "")],
}
REASONS = {
    "": "no file system that this machine knows",
    "swap": "swap space",
    "crypto_LUKS": "encrypted (LUKS): `cryptsetup open --readonly DEVICE NAME`, then mount /dev/mapper/NAME read-only",
    "BitLocker": "encrypted (BitLocker): `cryptsetup open --type bitlk --readonly DEVICE NAME`, or dislocker",
    "zfs_member": "a part of a ZFS pool: `zpool import -o readonly=on`",
    "LVM2_member": "a part of LVM inside another volume",
    "linux_raid_member": "a part of a RAID array inside another volume",
    "DM_snapshot_cow": "the changes of a snapshot",
}


def mount_ways(volume):
    """(type, options) to try, in this order."""
    ways = MOUNTS.get(volume.type, [(volume.type, "")])
    return [(kind, ",".join(filter(None, ["ro,nosuid,nodev", options]))) for kind, options in ways]


def prepare_btrfs(volume, volumes):
    """The kernel knows a btrfs by its id only; one that is mounted here already would be taken for it."""
    siblings = [other.device for other in volumes if other.type == "btrfs" and other.uuid == volume.uuid]
    if siblings[0] != volume.device:
        return None, "a part of the btrfs that begins on " + siblings[0]
    if os.path.isdir(f"/sys/fs/btrfs/{volume.uuid}"):
        if len(siblings) > 1 or run("btrfstune", "-f", "-m", volume.device, timeout=120).returncode != 0:
            return None, f"this machine has a btrfs with the same id ({volume.uuid}) mounted; unmount it, or use another machine"
    if len(siblings) > 1:
        run("btrfs", "device", "scan", *siblings)
    return "".join(f",device={device}" for device in siblings if len(siblings) > 1), ""


def mount_volume(volume, volumes, target):
    if volume.type in REASONS:
        volume.reason = REASONS[volume.type]
        return False
    more = ""
    if volume.type == "btrfs":
        more, volume.reason = prepare_btrfs(volume, volumes)
        if volume.reason:
            return False
    os.mkdir(target)
    reasons = []
    for kind, options in mount_ways(volume):
        result = run("mount", "-t", kind, "-o", options + more, volume.device, target, timeout=180)
        if result.returncode == 0:
            volume.mountPoint = target
            return True
        reasons.append(last_line(result))
    os.rmdir(target)
    volume.reason = "; ".join(reasons).replace(f"mount: {target}: ", "")
    return False


def find_volumes():
    names = {disk["lun"]: disk["name"] for disk in json.loads(Disks)}
    volumes = [volume for lun, name in disks().items() for volume in leaves(name, names.get(lun) or f"disk {lun}")]
    volumes += assemble_arrays(volumes)
    return volumes + import_groups(volumes)


# ---- commands -----------------------------------------------------------------------------------------------------


def expires_at():
    return datetime.datetime.strptime(ExpiresAt, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()


def state_folder():
    return f"{STATE_ROOT}/{ScriptId}"


def read_state():
    try:
        return json.loads(read_text(f"{state_folder()}/state.json"))
    except ValueError:
        return {}


def write_state(state):
    path = f"{state_folder()}/state.json"
    with os.fdopen(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file)
    os.replace(path + ".new", path)


def mounts_of(mountinfo):
    """Mount points and what is mounted there. Bytes come in: the names of this machine's other mounts may be in any encoding."""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(b" - ")
        yield os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), before.split()[4])), os.fsdecode(after.split()[1])


def mounted_here(folder):
    """What is mounted from our devices or below our folder, the newest first."""
    ours = {f"/dev/{name}" for name in our_devices()}
    found = []
    with open("/proc/self/mountinfo", "rb") as file:
        for point, source in mounts_of(file.read()):
            if os.path.realpath(source) in ours or (folder and point.startswith(folder + "/")):
                found.append(point)
    return found[::-1]


def find_password(arguments):
    if TargetPassword != ASK_FOR_PASSWORD:
        password = TargetPassword
    elif arguments.password_file:
        try:
            with open(arguments.password_file, encoding="utf-8") as file:
                password = file.readline()
        except (OSError, ValueError) as problem:
            raise Failure(f"The password cannot be read from {arguments.password_file}: {problem}") from problem
    elif sys.stdin.isatty():
        password = getpass.getpass("Password of this script: ")
    else:
        password = sys.stdin.readline()
    password = password.strip()
    if len(password) != PASSWORD_LENGTH or not password.isalnum() or not password.isascii():
        raise Failure(f"The password has {PASSWORD_LENGTH} letters and digits. It was shown when the script was made.")
    return password


def require_tools():
    if has("iscsiadm") and has("iscsid"):
        return
    raise Failure(
        "open-iscsi is not installed. Install it with one of\n"
        "  apt-get install open-iscsi               (Debian, Ubuntu)\n"
        "  dnf install iscsi-initiator-utils        (Red Hat, Fedora, Rocky, Alma, Oracle)\n"
        "  zypper install open-iscsi                (SUSE)"
    )


def parse_portal(text):
    """HOST, HOST:PORT or [IPV6]:PORT."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\s\[\]]+))(?::([0-9]{1,5}))?", text)
    port = int(match[3] or TargetPortalPortNumber or 0) if match else 0
    if not 0 < port < 65536:
        raise Failure(f"'{text}' is no HOST[:PORT].")
    return match[1] or match[2], port


def mount_command(arguments):
    require_tools()
    state = read_state()
    if sessions() or mounted_here(state.get("folder")):
        raise Failure(f"The recovery point is mounted already{' in ' + state['folder'] if state.get('folder') else ''}. `python3 {os.path.abspath(__file__)} clean` undoes it.")
    undo()
    password = find_password(arguments)
    address, port = parse_portal(arguments.portal) if arguments.portal else (TargetPortalAddress, int(TargetPortalPortNumber))
    say(f"Connecting to {address}:{port} ...")
    try:
        connect(address, port)[0].close()
    except SessionEnded:
        if time.time() < expires_at():
            raise
        raise Failure(f"This script expired at {ExpiresAt}. Ask for a new one.") from None
    folder = os.path.join(os.getcwd(), f"{MachineName}-{datetime.datetime.now():%Y%m%d%H%M%S}")
    os.makedirs(state_folder(), mode=0o700, exist_ok=True)
    try:
        # Other users of this machine have no business in somebody's backup.
        os.mkdir(folder, 0o700)
        os.chown(folder, int(os.environ.get("SUDO_UID", 0)), int(os.environ.get("SUDO_GID", 0)))
        write_state({"folder": folder})
        log_in(start_tunnel(address, port), password)
        found = wait_for_disks()
        say(f"{len(found)} {'disk is' if len(found) == 1 else 'disks are'} here. Looking for volumes ...")
        volumes = find_volumes()
        count = 1
        for volume in volumes:
            if not volume.reason and mount_volume(volume, volumes, f"{folder}/Volume{count}"):
                count += 1
        write_state({"folder": folder, "volumes": [dataclasses.asdict(volume) for volume in volumes]})
    except BaseException:
        undo()
        raise
    report(folder, volumes, arguments.json)
    return 0 if count > 1 else 3


def report(folder, volumes, as_json):
    if as_json:
        print(json.dumps({"machine": VmName, "recoveryPointTime": RecoveryPointTime, "expiresAt": ExpiresAt, "folder": folder, "volumes": [dataclasses.asdict(volume) for volume in volumes]}))
        return
    say(f"\nRecovery point of {VmName}, {RecoveryPointTime}, until {ExpiresAt}\n")
    rows = [(os.path.basename(volume.mountPoint) or "-", volume.disk, volume.device, volume.type or "?", size_text(volume.sizeBytes), volume.label or "-") for volume in volumes]
    rows.insert(0, ("Volume", "Disk", "Device", "Type", "Size", "Label"))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    for row in rows:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    missing = [volume for volume in volumes if not volume.mountPoint]
    if missing:
        say("\nNot mounted:")
    for volume in missing:
        say(f"  {volume.device}: {volume.reason}")
    say(f"\nThe files are in {folder}\nWhen you are done: python3 {os.path.abspath(__file__)} clean")


def size_text(count):
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def status_command(arguments):
    state = read_state()
    volumes = [Volume(**volume) for volume in state.get("volumes", [])]
    mounted = mounted_here(state.get("folder"))
    if not mounted:
        if arguments.json:
            report("", [], True)
        say("Nothing is mounted." + (" The disks are connected; `clean` disconnects them." if sessions() else ""))
        return 3
    if not any(read_text(f"{session}/state") == "LOGGED_IN" for session in sessions()):
        say("The connection to the server is lost or has ended; files cannot be read now. If that stays, `clean` and ask for a new script.")
    report(state.get("folder", ""), volumes, arguments.json)
    return 0


def undo():
    """Takes back whatever mount did, from what is there and not from what was written down. Returns what is left."""
    folder = read_state().get("folder")
    for session in sessions():
        # Do not wait for a server that is gone.
        try:
            with open(f"{session}/recovery_tmo", "w", encoding="ascii") as file:
                file.write("5")
        except OSError:
            pass
    for point in mounted_here(folder):
        if run("umount", point, timeout=20).returncode != 0:
            say(f"{point} is in use; what has it open gets errors from now on.")
            run("umount", "--lazy", point, timeout=20)
    release([name for disk in disks().values() for name in [disk] + partitions(disk)])
    if sessions():
        run("iscsiadm", "-m", "node", "-T", TargetNodeAddress, "--logout", timeout=60)
    for process in tunnels():
        if process != os.getpid():
            try:
                os.kill(process, signal.SIGTERM)
            except ProcessLookupError:
                pass  # It has just ended by itself.
    if node_records() and has("iscsiadm"):
        run("iscsiadm", "-m", "node", "-T", TargetNodeAddress, "-o", "delete", timeout=30)
    left = [f"{point} is still mounted" for point in mounted_here(folder)]
    left += [f"the iSCSI session {os.path.basename(session)} is still there" for session in sessions()]
    left += [f"open-iscsi's record {path} is still there" for path in node_records()]
    if not left:
        for path in sorted(glob.glob(f"{glob.escape(folder)}/Volume*"), reverse=True) + [folder] if folder else []:
            try:
                os.rmdir(path)
            except OSError:
                pass  # Somebody put a file of their own there.
        shutil.rmtree(state_folder(), ignore_errors=True)
    return left


def clean_command(_):
    left = undo()
    for line in left:
        say(f"Not undone: {line}")
    say("Try again when no program uses it any more." if left else "Everything is undone.")
    return 4 if left else 0


def arguments_of(command_line):
    parser = argparse.ArgumentParser(
        prog="python3 SCRIPT",
        description=f"Shows the files of a recovery point{' of ' + VmName if VmName else ''}, read-only, in a folder {MachineName or 'MACHINE'}-DATE of the folder it is run in. Needs root (or sudo) and open-iscsi.", epilog=HELP_END, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="?", default="mount", choices=["mount", "status", "clean"])
    parser.add_argument("--portal", metavar="HOST[:PORT]", help="another way to the server; its certificate is checked all the same")
    parser.add_argument("--password-file", metavar="FILE", help="a file whose first line is the password")
    parser.add_argument("--json", action="store_true", help="print the volumes as JSON")
    return parser.parse_args(command_line)


def main():
    global quiet
    if sys.argv[1:2] == ["--tunnel"]:
        serve_tunnel(socket.socket(fileno=int(sys.argv[3])), sys.argv[4], int(sys.argv[5]))
        return 0
    # Paths may hold what this terminal's encoding has not.
    sys.stdout.reconfigure(errors="backslashreplace")
    sys.stderr.reconfigure(errors="backslashreplace")
    arguments = arguments_of(sys.argv[1:])
    quiet = arguments.json
    if not ScriptId:
        raise Failure("This is the template of a script. A server makes the script of a recovery point from it (az backup restore files mount-rp).")
    if os.geteuid() != 0:
        if not has("sudo"):
            raise Failure("This has to be run as root.")
        os.execvp("sudo", ["sudo", "--", sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    os.makedirs(STATE_ROOT, mode=0o700, exist_ok=True)
    with open(f"{STATE_ROOT}/{ScriptId}.lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Failure("This script runs already.") from None
        try:
            return {"mount": mount_command, "status": status_command, "clean": clean_command}[arguments.command](arguments)
        finally:
            if not os.path.isdir(state_folder()):
                os.unlink(lock.name)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as problem:
        sys.exit(f"{problem}")
    except OSError as problem:
        sys.exit(f"{problem}")
    except KeyboardInterrupt:
        sys.exit("Interrupted. `clean` undoes what may be left.")
