"""Carries out what the test sends over the virtio port "test.agent".

A request and its answer are a line of JSON each:
    {"command": ["sh", "-c", "..."], "input": "text", "timeoutSeconds": 60, "folder": "/"}
    {"exitCode": 0, "output": "...", "error": "..."}
A command that ran too long has exit code 124 and is killed with all that it started. The end of the port ends the guest.
"""

import glob
import json
import os
import signal
import subprocess
import sys


def port():
    for name in glob.glob("/sys/class/virtio-ports/*/name"):
        with open(name) as file:
            if file.read().strip() == "test.agent":
                return open("/dev/" + name.split("/")[-2], "r+b", buffering=0)
    sys.exit("no virtio port named test.agent")


def carry_out(request):
    # Files, not pipes: a daemon that a command leaves behind must not hold its answer back.
    with open("/run/agent.out", "w+b") as output, open("/run/agent.err", "w+b") as error:
        process = subprocess.Popen(
            request["command"], cwd=request.get("folder", "/"), stdin=subprocess.PIPE, stdout=output, stderr=error, start_new_session=True
        )
        try:
            process.communicate(request.get("input", "").encode(), request["timeoutSeconds"])
            code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            code = 124
        output.seek(0)
        error.seek(0)
        return {"exitCode": code, "output": output.read().decode(errors="replace"), "error": error.read().decode(errors="replace")}


def main():
    with port() as stream:
        stream.write(b'{"ready":true}\n')
        pending = b""
        while True:
            while b"\n" not in pending:
                part = stream.read(65536)
                if not part:
                    return
                pending += part
            line, pending = pending.split(b"\n", 1)
            try:
                answer = carry_out(json.loads(line))
            except (OSError, ValueError, KeyError) as problem:
                answer = {"exitCode": 127, "output": "", "error": str(problem)}
            data = memoryview(json.dumps(answer).encode() + b"\n")
            while data:
                data = data[stream.write(data):]


main()
