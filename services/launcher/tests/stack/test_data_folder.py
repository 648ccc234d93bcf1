import os
import subprocess
import sys
from pathlib import Path

import pytest

from forgesyte_contracts.problems import Code, ForgeSyteError
from forgesyte_launcher.stack.data_folder import open_folder, write_secret

HOLDER = """
import asyncio, subprocess, sys
from pathlib import Path
from forgesyte_launcher.stack.data_folder import open_folder

async def main():
    async with open_folder(Path(sys.argv[1])) as folder:
        child = subprocess.Popen(["sleep", "600"], pass_fds=(folder.lock_fd,)) if "child" in sys.argv else None
        print(child.pid if child else 0, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


def holder(folder, *words):
    return subprocess.Popen([sys.executable, "-c", HOLDER, str(folder), *words], stdout=subprocess.PIPE, text=True)


async def test_the_folders_are_made(tmp_path):
    async with open_folder(tmp_path / "data") as folder:
        assert all(each.is_dir() for each in (folder.nats, folder.store, folder.scratch, folder.logs, folder.run))


async def test_the_data_folder_is_closed_to_other_users(tmp_path):
    async with open_folder(tmp_path / "data") as folder:
        modes = {path.name: path.stat().st_mode & 0o777 for path in (folder.root, *folder.root.iterdir())}

    passed = 0o711 if os.geteuid() == 0 else 0o700
    closed = dict.fromkeys(("nats", "store", "logs", "run"), 0o700)
    assert modes == closed | {"data": passed, "scratch": passed}


async def test_a_data_folder_of_an_older_version_is_closed_to_other_users(tmp_path):
    root, media = tmp_path / "data", tmp_path / "data" / "store" / "jobs" / "x" / "input"
    for name in ("nats", "scratch", "logs", "run"):
        (root / name).mkdir(parents=True)
    media.parent.mkdir(parents=True)
    media.write_bytes(b"private")
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)

    async with open_folder(root):
        pass

    assert media.stat().st_mode & 0o777 == 0o600
    assert not any(path.stat().st_mode & 0o066 for path in (root, *root.rglob("*")))


async def test_a_folder_that_also_holds_something_else_keeps_its_mode(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    tmp_path.chmod(0o755)

    async with open_folder(tmp_path) as folder:
        assert folder.root.stat().st_mode & 0o777 == 0o755
        assert folder.store.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "name", ["B\u00fccher", "two words", "a 'b' \"c\"", "\U0001f4fc", "a\nb", "%20#?&", "-", "x" * 255], ids=ascii
)
async def test_a_data_folder_may_have_any_name(tmp_path, name):
    async with open_folder(tmp_path / name) as folder:
        assert (tmp_path / name / "run" / "lock").exists()
        assert folder.root == tmp_path / name


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (os.fsdecode(b"/tmp/caf\xe9"), "not valid UTF-8"),
        ("/tmp/12:30", "separates folders"),
        ("~no-such-user/data", "no user has this name"),
        ("/", "folder of its own"),
        ("/tmp/" + "x/" * 1200, "bytes, and at most 2000"),
    ],
    ids=["no-utf-8", "colon", "no-user", "root", "MOST_PATH_BYTES"],
)
async def test_a_path_that_cannot_be_a_data_folder_is_refused_with_the_reason_and_the_remedy(path, why):
    with pytest.raises(ForgeSyteError, match=f"{why}.*--data-dir") as caught:
        async with open_folder(Path(path)):
            pass

    assert caught.value.code is Code.REQUEST_INVALID


async def test_a_folder_in_use_is_refused_with_the_pid_and_the_remedy(tmp_path):
    with holder(tmp_path) as other:
        other.stdout.readline()

        with pytest.raises(ForgeSyteError, match=f"process {other.pid}.*--data-dir") as caught:
            async with open_folder(tmp_path):
                pass

        other.kill()
    assert caught.value.code is Code.SERVICE_UNAVAILABLE


async def test_a_folder_is_free_again_after_its_holder_was_killed(tmp_path):
    with holder(tmp_path) as other:
        other.stdout.readline()
        other.kill()

    async with open_folder(tmp_path) as folder:
        assert (folder.run / "lock").read_text() == str(os.getpid())


async def test_a_folder_is_not_free_while_a_dead_launchers_server_still_writes(tmp_path):
    with holder(tmp_path, "child") as other:
        child = int(other.stdout.readline())
        other.kill()

    with pytest.raises(ForgeSyteError, match="in use"):
        async with open_folder(tmp_path, wait_s=0.05):
            pass

    os.kill(child, 9)
    async with open_folder(tmp_path):
        pass


async def test_a_folder_that_cannot_be_made_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ForgeSyteError, match="--data-dir"):
        async with open_folder(tmp_path / "file" / "data"):
            pass


async def test_the_token_is_made_once_and_only_its_owner_reads_it(tmp_path):
    async with open_folder(tmp_path) as folder:
        token = folder.keep_token()
        mode = (folder.run / "bus-token").stat().st_mode & 0o777
    async with open_folder(tmp_path) as folder:
        again = folder.keep_token()

    assert token == again
    assert len(token) >= 32
    assert mode == 0o600


def test_a_secret_replaces_the_file_and_a_leftover(tmp_path):
    (tmp_path / "secret.new").write_text("half")
    (tmp_path / "secret").write_text("old")

    write_secret(tmp_path / "secret", "new")

    assert (tmp_path / "secret").read_text() == "new"
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
