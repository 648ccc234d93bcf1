"""A plugin that uses what the sandbox refuses: each tool is one way to do so."""

import multiprocessing
import os
import socket
import subprocess

from forgesyte_sdk import Plugin

from .tools import tool_of


def manager(_frame):
    """A manager's process listens on a socket."""
    with multiprocessing.get_context("fork").Manager() as shared:
        return shared.dict(a=1)["a"]


def forkserver(_frame):
    """So does the fork server."""
    helper = multiprocessing.get_context("forkserver").Process(target=os.getpid)
    helper.start()
    helper.join()
    return helper.exitcode


def shell(_frame):
    """A shell is a program outside of Python."""
    return subprocess.run("echo there", shell=True, capture_output=True, check=True).stdout.decode()


def system(_frame):
    """So it is here."""
    return os.system("true")


def popen(_frame):
    """And here."""
    return os.popen("echo there").read()


def program(_frame):
    """Any other program."""
    return subprocess.run(["/bin/ls", "/"], capture_output=True, check=True).stdout.decode()


def connection(_frame):
    """A connection to anywhere."""
    return socket.create_connection(("127.0.0.1", 9)).fileno()


class Refused(Plugin):
    """Uses what is refused."""

    name = "refused"
    version = "0.1.0"
    tools = tuple(map(tool_of, (manager, forkserver, shell, system, popen, program, connection)))
