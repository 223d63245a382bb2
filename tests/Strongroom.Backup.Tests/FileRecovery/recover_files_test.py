"""The parts of the recovery script that need no disks. RECOVER_FILES names the script."""

import datetime
import importlib.util
import io
import os
import subprocess
import sys
import types
import unittest
from unittest import mock

sys.dont_write_bytecode = True
SPEC = importlib.util.spec_from_file_location("recover_files", os.environ["RECOVER_FILES"])
script = importlib.util.module_from_spec(SPEC)
sys.modules["recover_files"] = script
SPEC.loader.exec_module(script)


def result(code, output="", error=""):
    return subprocess.CompletedProcess(["program"], code, output, error)


class Reading(unittest.TestCase):
    def test_blkid_output_is_read_with_its_backslashes_undone(self):
        text = "DEVNAME=/dev/sda1\nLABEL=my\\ disk\\'s\\\\name\nUUID=12\nTYPE=ext4\n"
        self.assertEqual({"DEVNAME": "/dev/sda1", "LABEL": "my disk's\\name", "UUID": "12", "TYPE": "ext4"}, script.parse_blkid(text))

    def test_a_device_without_anything_is_an_empty_answer(self):
        self.assertEqual({}, script.parse_blkid(""))

    def test_the_last_line_of_an_error_is_its_reason(self):
        text = "mount: /x: wrong fs type.\n       dmesg(1) may have more information after failed mount system call.\n"
        self.assertEqual("mount: /x: wrong fs type.", script.last_line(result(32, "", text)))
        self.assertEqual("out", script.last_line(result(1, "out\n")))
        self.assertEqual("program ended with 5", script.last_line(result(5)))

    def test_mounts_of_any_encoding_are_read(self):
        names = ["/srv/\u65e5\u672c".encode(), b"/home/jos\xe9", b"/with\\040blank", "/home/jos\u00e9".encode()]
        text = b"".join(b"36 35 98:0 / " + name + b" rw,noatime master:1 - ext4 /dev/sda1 rw\n" for name in names)
        found = [point for point, source in script.mounts_of(text)]
        self.assertEqual([names[0], names[1], b"/with blank", names[3]], [os.fsencode(point) for point in found])
        self.assertEqual(["/dev/sda1"] * 4, [source for point, source in script.mounts_of(text)])

    def test_only_the_server_itself_says_that_a_session_is_over(self):
        for problem, over in ((script.Failure("unreachable"), False), (script.SessionEnded("gone"), True)):
            with mock.patch.object(script, "connect", side_effect=problem):
                self.assertEqual(over, script.is_over("backup.example", 8443))

    def test_an_IPv6_address_stands_in_brackets(self):
        for name, text in (("::1", "[::1]"), ("backup.example", "backup.example")):
            with mock.patch.object(script, "TargetPortalName", name):
                self.assertEqual(text, script.host_text())

    def test_portals_are_host_and_port(self):
        with mock.patch.object(script, "TargetPortalPortNumber", "8443"):
            self.assertEqual(("backup.example", 8443), script.parse_portal("backup.example"))
            self.assertEqual(("10.0.2.2", 9), script.parse_portal("10.0.2.2:9"))
            self.assertEqual(("fd00::1", 9), script.parse_portal("[fd00::1]:9"))
            self.assertEqual(("fd00::1", 8443), script.parse_portal("[fd00::1]"))
            for wrong in ("", ":1", "a:b", "a:0", "a:65536", "fd00::1", "a b", "[::1", "a:1:2"):
                with self.assertRaises(script.Failure, msg=wrong):
                    script.parse_portal(wrong)

    def test_the_expiry_is_in_utc(self):
        with mock.patch.object(script, "ExpiresAt", "2026-11-23T16:00:00Z"):
            moment = datetime.datetime.fromtimestamp(script.expires_at(), datetime.timezone.utc)
        self.assertEqual((2026, 11, 23, 16, 0), moment.timetuple()[:5])

    def test_answers_of_lvm_that_are_none_are_no_rows(self):
        self.assertEqual([{"vg_name": "a"}], script.lvm_rows(result(0, '{"report":[{"vg":[{"vg_name":"a"}]}]}'), "vg"))
        self.assertEqual([], script.lvm_rows(result(5, "not json"), "vg"))


class Records(unittest.TestCase):
    def test_settings_replace_those_of_a_record_and_others_are_added_before_its_end(self):
        record = "# BEGIN RECORD 2.1.8\nnode.name = iqn\nnode.session.auth.authmethod = None\n# END RECORD\n"
        changed = script.set_record(record, {"node.session.auth.authmethod": "CHAP", "node.session.auth.password": "secret"})
        self.assertEqual("# BEGIN RECORD 2.1.8\nnode.name = iqn\nnode.session.auth.authmethod = CHAP\nnode.session.auth.password = secret\n# END RECORD\n", changed)


class Mounting(unittest.TestCase):
    @staticmethod
    def volume(kind, device="/dev/sdx1", uuid="u"):
        return script.Volume(device, "disk", kind, "", 1, uuid=uuid)

    def test_everything_is_mounted_read_only_without_devices_and_set_uid(self):
        for kind in list(script.MOUNTS) + ["exfat", "iso9660", "f2fs"]:
            for _, options in script.mount_ways(self.volume(kind)):
                self.assertTrue(options.startswith("ro,nosuid,nodev"), kind)

    def test_file_systems_have_the_options_that_a_copy_needs(self):
        self.assertEqual([("xfs", "ro,nosuid,nodev,nouuid")], script.mount_ways(self.volume("xfs")))
        self.assertEqual(["ntfs3", "ntfs-3g"], [kind for kind, _ in script.mount_ways(self.volume("ntfs"))])
        self.assertIn("errors=remount-ro", script.mount_ways(self.volume("ext4"))[0][1])

    def test_what_holds_no_files_is_never_mounted_and_says_why(self):
        for kind in ("", "swap", "crypto_LUKS", "BitLocker", "zfs_member"):
            volume = self.volume(kind)
            with mock.patch.object(script, "run", side_effect=AssertionError("something was run")):
                self.assertFalse(script.mount_volume(volume, [volume], "/nowhere/Volume1"))
            self.assertNotEqual("", volume.reason)

    def test_a_btrfs_of_two_disks_is_mounted_once_with_both(self):
        first, second = self.volume("btrfs", "/dev/sda", "u1"), self.volume("btrfs", "/dev/sdb", "u1")
        with mock.patch.object(script, "run", return_value=result(0)):
            self.assertEqual((",device=/dev/sda,device=/dev/sdb", ""), script.prepare_btrfs(first, [first, second]))
            self.assertEqual("a part of the btrfs that begins on /dev/sda", script.prepare_btrfs(second, [first, second])[1])

    def test_a_mount_that_fails_leaves_its_reason_and_no_folder(self):
        volume = self.volume("ntfs")
        with mock.patch.object(script, "run", return_value=result(32, "", "mount: /tmp: unknown filesystem type")), \
                mock.patch.object(script.os, "mkdir"), mock.patch.object(script.os, "rmdir") as removed:
            self.assertFalse(script.mount_volume(volume, [volume], "/f/Volume1"))
        removed.assert_called_once_with("/f/Volume1")
        self.assertIn("unknown filesystem type", volume.reason)


class Passwords(unittest.TestCase):
    @staticmethod
    def ask(line, header="UserInput012345"):
        with mock.patch.object(script, "TargetPassword", header), mock.patch.object(script.sys, "stdin", io.StringIO(line)):
            return script.find_password(types.SimpleNamespace(password_file=None))

    def test_the_password_is_asked_for_only_where_it_was_taken_out(self):
        self.assertEqual("abcDEF012345xyz", self.ask("abcDEF012345xyz\n"))
        self.assertEqual("abcDEF012345xyz", self.ask("", "abcDEF012345xyz"))

    def test_what_has_not_fifteen_letters_and_digits_is_refused(self):
        for wrong in ("", "short", "abcDEF012345xyz0", "abcDEF 12345xyz", "abcDEF012345xy\u00e9"):
            with self.assertRaises(script.Failure, msg=wrong):
                self.ask(wrong + "\n")


class Running(unittest.TestCase):
    def test_a_program_that_is_missing_or_hangs_is_told_by_its_code(self):
        self.assertEqual(127, script.run("/nowhere/program").returncode)
        hung = script.run("sleep", "60", timeout=0.2)
        self.assertEqual((124, "sleep took longer than 0.2 s"), (hung.returncode, script.last_line(hung)))

    def test_sizes_are_told_in_the_unit_that_fits(self):
        self.assertEqual(["512 B", "2 KiB", "768 MiB", "2.0 TiB"], [script.size_text(size) for size in (512, 2048, 768 << 20, 2 << 40)])


if __name__ == "__main__":
    unittest.main()
