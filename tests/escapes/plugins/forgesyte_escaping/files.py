"""Attempts on files: what the service, the machine and other jobs keep, read and written by every way in."""

import fcntl
import os
import subprocess
import sys
import termios
import threading
from contextlib import suppress

from . import calls
from .attempting import Stopped, Targets, attempt, in_child, own_input, read, unless_pretended, write

F_SETLEASE, F_GETLEASE, RENAME_EXCHANGE, AT_EMPTY_PATH = 1024, 1025, 2, 0x1000


@attempt("secret")
def reads_the_token(at: Targets):
    """The bus's token in the data folder: 0600 in a folder 0700."""
    return read(at.secret)


@attempt("secret")
def reads_a_world_readable_file(at: Targets):
    """A file that every user of the machine may read."""
    return read(at.public)


@attempt()
def reads_the_shadow_file(at: Targets):
    """/etc/shadow."""
    return unless_pretended(b":" in read("/etc/shadow"))


@attempt("secret")
def reads_roots_file(at: Targets):
    """A file of root, 0600."""
    return read(at.roots_file)


@attempt("secret")
def reads_another_jobs_file(at: Targets):
    """What the job beside it has written into its scratch folder."""
    return read(f"{at.sibling['scratch']}/notes")


@attempt()
def reads_another_jobs_video(at: Targets):
    """The input of the job beside it."""
    return unless_pretended(len(read(at.sibling["input"])) > 100)


@attempt()
def lists_another_jobs_folder(at: Targets):
    """The names in another job's scratch folder."""
    return unless_pretended("notes" in os.listdir(at.sibling["scratch"]))  # noqa: PTH208 - names alone


@attempt()
def lists_the_homes(at: Targets):
    """The folders of all sandboxes, two above the scratch folder."""
    return unless_pretended(bool(os.listdir("../..")))  # noqa: PTH208 - names alone


@attempt()
def lists_the_data_folder(at: Targets):
    """The names in the service's private folder."""
    return unless_pretended("secret" in os.listdir(at.private))  # noqa: PTH208 - names alone


@attempt("secret")
def climbs_out_by_dots(at: Targets):
    """../../.. up to the root and down to the secret."""
    return read("../" * 20 + at.secret.lstrip("/"))


@attempt("secret")
def climbs_out_by_a_directory_descriptor(at: Targets):
    """openat() from a descriptor of its own folder."""
    folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    descriptor = os.open("../" * 20 + at.secret.lstrip("/"), os.O_RDONLY, dir_fd=folder)
    return os.read(descriptor, 4096)


@attempt("secret")
def follows_a_symlink_in_scratch(at: Targets):
    """A symbolic link of its own to the secret."""
    os.symlink(at.secret, "link")  # noqa: PTH211 - os calls throughout
    return read("link")


@attempt("secret")
def hard_links_a_file_into_scratch(at: Targets):
    """A hard link of its own to a file outside, read by its new name."""
    os.link(at.public, "hard")
    return read("hard")


@attempt("secret")
def reopens_an_o_path_descriptor(at: Targets):
    """O_PATH needs no right; /proc/self/fd opens it again for reading."""
    return read(f"/proc/self/fd/{os.open(at.secret, os.O_PATH)}")


@attempt("secret")
def goes_through_its_own_root_link(at: Targets):
    """/proc/self/root and down."""
    return read(f"/proc/self/root{at.secret}")


@attempt("secret")
def goes_through_the_zygotes_root_link(at: Targets):
    """/proc/PID/root of the zygote and down."""
    return read(f"/proc/{at.zygote}/root{at.secret}")


@attempt()
def reads_the_zygotes_working_folder(at: Targets):
    """Where /proc/PID/cwd of the zygote points."""
    return os.readlink(f"/proc/{at.zygote}/cwd")  # noqa: PTH115 - a str is the proof


@attempt("secret")
def reads_the_runners_environment(at: Targets):
    """/proc/PID/environ of the service, where tokens stand."""
    return read(f"/proc/{at.runner}/environ")


@attempt("secret")
def reads_the_memory_of_a_service(at: Targets):
    """/proc/PID/mem at the secret's address."""
    with open(f"/proc/{at.victim['pid']}/mem", "rb", 0) as memory:  # noqa: PTH123 - unbuffered
        memory.seek(at.victim["address"])
        return memory.read(64)


@attempt("secret")
def reads_the_memory_of_another_job(at: Targets):
    """The same of a sandbox beside it."""
    with open(f"/proc/{at.sibling['pid']}/mem", "rb", 0) as memory:  # noqa: PTH123 - unbuffered
        memory.seek(at.sibling["address"])
        return memory.read(64)


@attempt("victim-changed")
def writes_the_memory_of_a_service(at: Targets):
    """/proc/PID/mem, opened for writing."""
    with open(f"/proc/{at.victim['pid']}/mem", "r+b", 0) as memory:  # noqa: PTH123 - unbuffered
        memory.seek(at.victim["changeable"])
        return memory.write(b"file")


@attempt()
def reads_the_address_map_of_a_service(at: Targets):
    """/proc/PID/maps, to know where to write."""
    return unless_pretended(b"r-xp" in read(f"/proc/{at.victim['pid']}/maps"))


@attempt("secret")
def opens_a_descriptor_of_a_service(at: Targets):
    """/proc/PID/fd/N: a file that has no name any more."""
    descriptor = os.open(f"/proc/{at.victim['pid']}/fd/{at.victim['descriptor']}", os.O_RDONLY)
    return os.pread(descriptor, 4096, 0)


@attempt("secret")
def reads_the_command_line_of_a_service(at: Targets):
    """/proc/PID/cmdline, where careless programs put their passwords."""
    return read(f"/proc/{at.victim['pid']}/cmdline")


@attempt()
def lists_the_processes_of_the_machine(at: Targets):
    """The numbers in /proc."""
    return unless_pretended(str(at.runner) in os.listdir("/proc"))  # noqa: PTH208 - names alone


@attempt("victim-oom")
def offers_a_service_to_the_oom_killer(at: Targets):
    """/proc/PID/oom_score_adj of the service, 900."""
    return write(f"/proc/{at.victim['pid']}/oom_score_adj", b"900")


@attempt("secret")
def reads_the_secret_in_a_forked_child(at: Targets):
    """A forked process, as if it were behind no wall."""
    return in_child(lambda at: read(at.secret), at)


@attempt("secret")
def reads_the_secret_in_a_thread(at: Targets):
    """A new thread, as if it were behind no wall."""
    got: list[bytes | OSError] = []

    def go() -> None:
        try:
            got.append(read(at.secret))
        except OSError as error:
            got.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    if isinstance(got[0], OSError):
        raise got[0]
    return got[0]


@attempt("secret")
def reads_the_secret_in_another_program(at: Targets):
    """A Python that it starts."""
    return output(sys.executable, "-I", "-S", "-c", f"print(open({at.secret!r}).read())")


@attempt("secret")
def reads_the_secret_by_a_shell(at: Targets):
    """/bin/sh and cat."""
    return output("/bin/sh", "-c", f"exec cat {at.secret}")


@attempt("secret")
def runs_a_script_from_memory(at: Targets):
    """A memfd with a script whose interpreter is cat."""
    script = os.memfd_create("script", 0)
    os.write(script, f"#!/bin/cat {at.secret}\n".encode())
    return output(f"/proc/self/fd/{script}", pass_fds=(script,))


@attempt("secret")
def runs_a_program_it_wrote(at: Targets):
    """A script in its scratch folder whose interpreter is cat."""
    descriptor = os.open("program", os.O_WRONLY | os.O_CREAT, 0o755)
    os.write(descriptor, f"#!/bin/cat {at.secret}\n".encode())
    os.close(descriptor)
    return output("./program")


@attempt("secret")
def asks_a_setuid_program(at: Targets):
    """A program that runs as root reads root's file."""
    return output(at.setuid_cat, at.roots_file)


@attempt("made")
def writes_into_an_open_folder(at: Targets):
    """A new file in a folder that every user may write."""
    return write(f"{at.open_folder}/writes-into-an-open-folder", b"x", os.O_CREAT)


@attempt("made")
def writes_into_the_temporary_folder(at: Targets):
    """A new file in /tmp."""
    return write(f"{at.temporary}writes-into-the-temporary-folder", b"x", os.O_CREAT)


@attempt("made")
def writes_into_another_jobs_folder(at: Targets):
    """A new file in the scratch folder beside it."""
    return write(f"{at.sibling['scratch']}/writes-into-another-jobs-folder", b"x", os.O_CREAT)


@attempt("made")
def links_a_nameless_file_outside(at: Targets):
    """O_TMPFILE outside, then linkat() by /proc/self/fd."""
    descriptor = os.open(at.open_folder, os.O_TMPFILE | os.O_WRONLY, 0o600)
    os.link(f"/proc/self/fd/{descriptor}", f"{at.open_folder}/links-a-nameless-file-outside", src_dir_fd=descriptor)


@attempt("made")
def links_its_own_file_outside(at: Targets):
    """linkat() of a file in scratch to a name outside."""
    write("mine", b"x", os.O_CREAT)
    os.link("mine", f"{at.open_folder}/links-its-own-file-outside")


@attempt("made")
def moves_its_own_file_outside(at: Targets):
    """rename() of a file in scratch to a name outside."""
    write("mine", b"x", os.O_CREAT)
    os.rename("mine", f"{at.open_folder}/moves-its-own-file-outside")  # noqa: PTH104 - os calls


@attempt("made")
def makes_a_folder_outside(at: Targets):
    """mkdir() in a folder that every user may write."""
    os.mkdir(f"{at.open_folder}/makes-a-folder-outside")  # noqa: PTH102 - os calls


@attempt("made")
def makes_a_symlink_outside(at: Targets):
    """symlink() in a folder that every user may write."""
    os.symlink("/", f"{at.open_folder}/makes-a-symlink-outside")  # noqa: PTH211 - os calls


@attempt("made")
def makes_a_pipe_outside(at: Targets):
    """mkfifo() in a folder that every user may write."""
    os.mkfifo(f"{at.open_folder}/makes-a-pipe-outside")


@attempt("file-changed")
def overwrites_a_file_outside(at: Targets):
    """A file that every user may write."""
    return write(at.files["overwrites-a-file-outside"], b"overwritten")


@attempt("file-changed")
def truncates_a_file_outside(at: Targets):
    """truncate() by path."""
    os.truncate(at.files["truncates-a-file-outside"], 1)


@attempt("file-changed")
def truncates_by_opening_for_reading(at: Targets):
    """O_RDONLY | O_TRUNC, which older versions of Landlock let pass."""
    os.open(at.files["truncates-by-opening-for-reading"], os.O_RDONLY | os.O_TRUNC)


@attempt("file-changed")
def maps_a_file_outside_for_writing(at: Targets):
    """mmap(MAP_SHARED) of a file outside."""
    import mmap

    descriptor = os.open(at.files["maps-a-file-outside-for-writing"], os.O_RDWR)
    with mmap.mmap(descriptor, 0) as shared:
        shared[:4] = b"maps"


@attempt("file-gone")
def removes_a_file_outside(at: Targets):
    """unlink() in a folder that every user may write."""
    os.unlink(at.files["removes-a-file-outside"])  # noqa: PTH108 - os calls


@attempt("file-gone")
def moves_a_file_into_scratch(at: Targets):
    """rename() of a file outside into its scratch folder."""
    os.rename(at.files["moves-a-file-into-scratch"], "taken")  # noqa: PTH104 - os calls


@attempt("file-moded")
def changes_the_mode_of_a_file_outside(at: Targets):
    """chmod(), which Landlock does not see."""
    os.chmod(at.files["changes-the-mode-of-a-file-outside"], 0o600)  # noqa: PTH101 - os calls


@attempt("file-grouped")
def changes_the_owner_of_a_file_outside(at: Targets):
    """chown(), which Landlock does not see."""
    os.chown(at.files["changes-the-owner-of-a-file-outside"], -1, 12345)


@attempt("file-timed")
def changes_the_times_of_a_file_outside(at: Targets):
    """utimensat(), which Landlock does not see."""
    os.utime(at.files["changes-the-times-of-a-file-outside"], (1, 1))


@attempt("file-marked")
def sets_an_attribute_of_a_file_outside(at: Targets):
    """setxattr(), which Landlock does not see."""
    os.setxattr(at.files["sets-an-attribute-of-a-file-outside"], "user.escape", b"1")


@attempt(is_alone=True)
def exchanges_its_input(at: Targets):
    """renameat2(RENAME_EXCHANGE) of its video and a file of its own."""
    mine = own_input(at)
    write("other", b"not a video", os.O_CREAT)
    calls.call("renameat2", calls.AT_FDCWD, mine.encode(), calls.AT_FDCWD, b"other", RENAME_EXCHANGE)
    return unless_pretended(read(mine) == b"not a video")


@attempt(is_alone=True)
def moves_its_input(at: Targets):
    """rename() of its video."""
    os.rename(own_input(at), "video")  # noqa: PTH104 - os calls


@attempt(is_alone=True)
def overwrites_its_input(at: Targets):
    """Its video, opened for writing."""
    descriptor = os.open(own_input(at), os.O_WRONLY | os.O_APPEND)
    return os.write(descriptor, b"x")


@attempt()
def leases_its_input(at: Targets):
    """F_SETLEASE makes every other process that opens the file wait."""
    descriptor = os.open(own_input(at), os.O_RDONLY)
    fcntl.fcntl(descriptor, F_SETLEASE, fcntl.F_RDLCK)
    held = fcntl.fcntl(descriptor, F_GETLEASE) == fcntl.F_RDLCK
    fcntl.fcntl(descriptor, F_SETLEASE, fcntl.F_UNLCK)
    return unless_pretended(held)


@attempt()
def makes_a_device_of_its_own(at: Targets):
    """mknod() of a character device in its scratch folder."""
    os.mknod("device", 0o020600, os.makedev(1, 5))
    return unless_pretended(read("device", 4) == bytes(4))


@attempt()
def reads_the_disk_below_the_files(at: Targets):
    """The block device that the root folder lies on."""
    return unless_pretended(len(read(at.disk, 512)) == 512)


@attempt()
def reads_the_kernels_log(at: Targets):
    """/dev/kmsg."""
    return unless_pretended(bool(read("/dev/kmsg")))


@attempt()
def lists_shared_memory(at: Targets):
    """The names in /dev/shm, where others keep what they share."""
    return unless_pretended(isinstance(os.listdir("/dev/shm"), list))  # noqa: PTH208 - names alone


@attempt("secret")
def reads_shared_memory_by_its_name(at: Targets):
    """A service's file in /dev/shm, 0600, whose name it was told."""
    return read(at.shared_memory)


@attempt()
def sets_the_core_pattern(at: Targets):
    """core_pattern can name a program that the kernel runs as root (the same value is written)."""
    return write("/proc/sys/kernel/core_pattern", read("/proc/sys/kernel/core_pattern"))


@attempt()
def sets_the_event_helper(at: Targets):
    """uevent_helper names a program that the kernel runs as root (the same value is written)."""
    return write("/sys/kernel/uevent_helper", read("/sys/kernel/uevent_helper") or b"\n")


@attempt()
def sets_a_kernel_setting(at: Targets):
    """/proc/sys/vm/swappiness (the same value is written)."""
    return write("/proc/sys/vm/swappiness", read("/proc/sys/vm/swappiness"))


@attempt()
def opens_the_emergency_keys(at: Targets):
    """/proc/sysrq-trigger for writing; nothing is written."""
    return os.open("/proc/sysrq-trigger", os.O_WRONLY)


@attempt()
def makes_a_control_group(at: Targets):
    """A folder in /sys/fs/cgroup."""
    folder = f"/sys/fs/cgroup/{'pids/' if os.path.isdir('/sys/fs/cgroup/pids') else ''}escape-{os.getpid()}"  # noqa: PTH112 - os calls
    os.mkdir(folder)  # noqa: PTH102 - os calls
    os.rmdir(folder)  # noqa: PTH106 - os calls
    return "made"


@attempt()
def lists_the_networks_of_the_machine(at: Targets):
    """/sys/class/net."""
    return unless_pretended("lo" in os.listdir("/sys/class/net"))  # noqa: PTH208 - names alone


@attempt()
def reads_the_machines_tcp_table(at: Targets):
    """/proc/net/tcp: who talks to whom."""
    return unless_pretended(b"local_address" in read("/proc/net/tcp"))


@attempt()
def watches_the_data_folder(at: Targets):
    """inotify on the service's private folder tells the names of what comes and goes there."""
    watcher = calls.call("inotify_init1", 0)
    return calls.call("inotify_add_watch", watcher, at.private.encode(), 0x100)


@attempt("typed")
def types_on_a_terminal(at: Targets):
    """TIOCSTI: keys pressed on the terminal of a service."""

    def press(at: Targets) -> str:
        with suppress(OSError):  # root needs no session of its own
            os.setsid()
        fcntl.ioctl(os.open(at.terminal, os.O_RDWR), termios.TIOCSTI, b"k")
        return "pressed"

    return in_child(press, at)


@attempt()
def looks_a_file_up(at: Targets):
    """stat() of the secret: that it is there, its size, its times."""
    return unless_pretended(os.stat(at.secret).st_size > 0)  # noqa: PTH116 - os calls


@attempt()
def inherits_a_descriptor(at: Targets):
    """A descriptor above 2 that is a folder or a file of a service."""
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names alone
        try:
            if os.readlink(f"/proc/self/fd/{number}").startswith((at.private, at.open_folder)):  # noqa: PTH115 - a str
                return number
        except OSError:
            continue
    raise Stopped("there is none")


def output(*command: str, pass_fds: tuple[int, ...] = ()) -> bytes:
    """Return what a program prints.

    Raises:
        Stopped: it ended badly; the last line it said.
    """
    done = subprocess.run(command, capture_output=True, check=False, pass_fds=pass_fds, stdin=subprocess.DEVNULL)
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise Stopped("EACCES, in it" if "Permission denied" in last else f"exit {done.returncode}: {last[:60]}")
    return done.stdout
