import subprocess
import sys

from forgesyte_chassis.owned_folder import close_to_others, exclusive, open_lock, remove_abandoned, try_lock
from tests.support import eventually

OWNER = """
import sys, time
from pathlib import Path
from forgesyte_chassis.owned_folder import open_lock, try_lock

lock_fd = open_lock(Path(sys.argv[1]))
print(try_lock(lock_fd), flush=True)
time.sleep(600)
"""

NEXT = """
import sys
from pathlib import Path
from forgesyte_chassis.owned_folder import exclusive

print("waits", flush=True)
with exclusive(Path(sys.argv[1])):
    print("inside", flush=True)
"""


def owner_of(lock_file) -> subprocess.Popen[str]:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(lock_file)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout.readline() == "True\n"
    return owner


def test_a_folder_is_abandoned_when_its_owner_is_killed_and_not_before(tmp_path):
    folder = tmp_path / "owned"
    folder.mkdir()
    with owner_of(folder / "lock") as owner:
        while_alive = remove_abandoned(folder, folder / "lock")
        owner.kill()

    assert (while_alive, remove_abandoned(folder, folder / "lock")) == (False, True)
    assert not folder.exists()


def test_a_lock_is_refused_while_another_process_holds_it(tmp_path):
    lock_fd = open_lock(tmp_path / "lock")
    with owner_of(tmp_path / "lock") as owner:
        refused = not try_lock(lock_fd)
        owner.kill()

    assert refused
    assert try_lock(lock_fd)
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


def test_a_folder_without_a_lock_stays_unless_it_is_known_to_be_ours(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()

    assert not remove_abandoned(folder, folder / "lock")
    assert remove_abandoned(folder, folder / "lock", must_have_lock=False)


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path):
    (folder := tmp_path / "owned").mkdir()
    (tmp_path / "elsewhere").touch()
    (folder / "lock").symlink_to(tmp_path / "elsewhere")

    assert not remove_abandoned(folder, folder / "lock", must_have_lock=False)
    assert folder.exists()


async def test_the_exclusive_block_waits_for_the_process_inside(tmp_path):
    with owner_of(tmp_path / "gate") as owner:
        waiting = subprocess.Popen(
            [sys.executable, "-c", NEXT, str(tmp_path / "gate")], stdout=subprocess.PIPE, text=True
        )
        with waiting:
            assert waiting.stdout.readline() == "waits\n"
            was_inside = waiting.poll() is not None
            owner.kill()
            await eventually(lambda: waiting.poll() == 0, what="the second process was let in")

    assert not was_inside
    with exclusive(tmp_path / "gate"):
        assert (tmp_path / "gate").exists()


def test_an_open_folder_is_closed_to_others_with_everything_in_it_but_not_what_a_link_leads_to(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    folder = tmp_path / "owned"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "media").write_bytes(b"")
    (folder / "inner" / "link").symlink_to(outside)
    modes = {folder: 0o755, folder / "inner": 0o775, folder / "inner" / "media": 0o644}
    for path, mode in modes.items():
        path.chmod(mode)

    close_to_others(folder, but=0o011)

    assert [path.stat().st_mode & 0o777 for path in modes] == [0o711, 0o700, 0o600]
    assert outside.stat().st_mode & 0o777 == 0o755


def test_a_closed_folder_is_not_opened_by_closing_it(tmp_path):
    tmp_path.chmod(0o700)

    close_to_others(tmp_path, but=0o011)

    assert tmp_path.stat().st_mode & 0o777 == 0o700
