#!/usr/bin/python3
"""Runs az again and again in forks of one process.

A command of az spends most of its second on importing the same few hundred modules. Here they are imported once: each
command runs the program az, whole and unmodified, in a fork of this process, which imports whatever modules a command
had to add before it forks for the next one.

    az-forks.py PROGRAM     PROGRAM: the script az, written for this python

Reads a request from each line of standard input and writes the answer as a line of standard output, both JSON:

    {"arguments": ["group", "list"], "environment": {"NAME": "value"}}
    {"status": 0, "output": "...", "error": "..."}

The environment is added to that of this process for the one command. A command runs in this process's folder and has
nothing on its standard input.
"""
import importlib
import json
import os
import runpy
import selectors
import sys
import traceback


def run(program, request, output, error, imported):
    """In the fork: becomes az, and never returns."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(error, 2)
    os.environ.update(request.get("environment", {}))
    sys.argv = [program, *request["arguments"]]
    before = set(sys.modules)
    status = 0
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as end:
        # As the interpreter reads sys.exit's argument.
        status = 0 if end.code is None else end.code if isinstance(end.code, int) else 1
        if status == 1 and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
    except BaseException:  # The interpreter's own last resort: the trace, and status 1.
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(imported, "\n".join(name for name in sys.modules if name not in before).encode())
    os._exit(status & 0xFF)


def read_all(descriptors):
    """What is written to each of some pipes until all are closed."""
    chunks = {descriptor: [] for descriptor in descriptors}
    with selectors.DefaultSelector() as selector:
        for descriptor in descriptors:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                chunk = os.read(key.fd, 65536)
                chunks[key.fd].append(chunk)
                if not chunk:
                    selector.unregister(key.fd)
    return [b"".join(chunks[descriptor]) for descriptor in descriptors]


def answer(program, request):
    """Runs one command to its end; returns its answer and the names of the modules that it imported."""
    pipes = [os.pipe() for _ in range(3)]
    process = os.fork()
    if process == 0:
        for reading, _ in pipes:
            os.close(reading)
        run(program, request, *(writing for _, writing in pipes))
    for _, writing in pipes:
        os.close(writing)
    output, error, imported = read_all([reading for reading, _ in pipes])
    for reading, _ in pipes:
        os.close(reading)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    result = {"status": status, "output": output.decode(errors="replace"), "error": error.decode(errors="replace")}
    return result, imported.decode().split()


def main():
    program = sys.argv[1]
    # Answers go out where standard output was; what an import prints does not.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    for line in sys.stdin:
        result, imported = answer(program, json.loads(line))
        print(json.dumps(result), file=answers, flush=True)
        for module in imported:
            try:
                importlib.import_module(module)
            except BaseException:  # Then each command imports it, or fails to, by itself.
                pass


main()
