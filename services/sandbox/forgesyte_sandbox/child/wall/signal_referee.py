"""The supervisor's side of the question whether a sandbox's process may signal another one.

The kernel holds the caller until an answer comes. Everything that the answer depends on stands in registers, which the
waiting caller cannot change, and is compared with the session of the sandbox: its first process started the session,
and neither it nor a descendant can leave it (setsid and setpgid are refused), so the session holds the sandbox and
nothing else. The caller itself is not looked at; who it is makes no difference.

- A target in the session: the call goes on.
- A target that does not exist: ESRCH, as without a wall.
- Anything else, all processes (-1) and other groups too: EPERM.

What is left: between the look and the signal the target may die and its number be given to a process outside. Linux
gives numbers in turn, so that takes a whole round of them within microseconds. Rejected: sending the signal from here
by a pidfd (no race, but no siginfo and, before Linux 6.9, no signal to one thread, which abort() needs).

An answer to a caller that died meanwhile is refused by the kernel, which compares the question's id; nothing else is
done on a caller's behalf, so no separate look at the id is needed.
"""

import ctypes
import errno
import fcntl
import os
import select
import struct

from .seccomp import call_seccomp
from .syscalls import number_of, this_machine

_RECEIVE, _ANSWER = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV and _SEND
_GET_SIZES = 3
_QUESTION = struct.Struct("=QIIiIQ6Q")  # id, thread, flags, call, machine, address, arguments
_SIZES = struct.Struct("=3H")  # of a question, a reply and the facts about a call
_REPLY = struct.Struct("=QqiI")  # id, value, error, flags


class SignalReferee:
    """Answers for one sandbox; its descriptor is readable when there is a question.

    Args:
        listener: the descriptor from the sandbox; closed by close().
        session: the sandbox's first process, which leads its session.
    """

    go_on = 1
    """SECCOMP_USER_NOTIF_FLAG_CONTINUE; Linux before 5.5 does not know it, so that every signal is refused there."""

    def __init__(self, listener: int, *, session: int) -> None:
        self._listener = listener
        self._session = session
        self._poll = select.poll()
        self._poll.register(listener, select.POLLIN)
        self._question_bytes, self._reply_bytes = _sizes()

    def fileno(self) -> int:
        """Return the descriptor to poll for reading; it hangs up when all processes of the sandbox are dead."""
        return self._listener

    def answer_one(self) -> bool:
        """Answer a question that waits, without blocking.

        Returns:
            Whether one was taken.
        """
        if not any(events & select.POLLIN for _, events in self._poll.poll(0)):
            return False
        question = bytearray(self._question_bytes)
        try:
            fcntl.ioctl(self._listener, _RECEIVE, question)
        except (FileNotFoundError, InterruptedError):  # its caller died meanwhile; a signal came here
            return False
        identity, _, _, call, _, _, *arguments = _QUESTION.unpack_from(question)
        refusal = self._refusal(call, _as_int(arguments[0]))
        if refusal or not self._answer(identity, flags=self.go_on):
            self._answer(identity, error=refusal or errno.EPERM)
        return True

    def is_over(self) -> bool:
        """Return whether every process of the sandbox is dead, so that no question can come any more."""
        return any(events & select.POLLHUP for _, events in self._poll.poll(0))

    def close(self) -> None:
        """Close the listener; questions from then on, and those that wait, fail with ENOSYS."""
        os.close(self._listener)

    def _answer(self, identity: int, *, error: int = 0, flags: int = 0) -> bool:
        """Return whether the kernel knows these flags."""
        reply = bytearray(self._reply_bytes)
        _REPLY.pack_into(reply, 0, identity, 0, -error, flags)
        try:
            fcntl.ioctl(self._listener, _ANSWER, reply)
        except FileNotFoundError:  # its caller died meanwhile
            return True
        except OSError as refused:
            if refused.errno != errno.EINVAL:
                raise
            return False
        return True

    def _refusal(self, call: int, target: int) -> int:
        """Return the errno for a signal to `target` (as in kill: below 0 a group), or 0."""
        if target <= 0:
            is_own_group = call == number_of("kill", this_machine()) and target == -self._session
            return 0 if is_own_group else errno.EPERM
        try:
            return 0 if os.getsid(target) == self._session else errno.EPERM
        except ProcessLookupError:
            return errno.ESRCH


def _as_int(register: int) -> int:
    """Return the low half of a register as the kernel reads a pid."""
    low = register & 0xFFFFFFFF
    return low - (1 << 32) if low >> 31 else low


def _sizes() -> tuple[int, int]:
    """Return how many bytes this kernel's questions and answers have (at least those known here)."""
    found = ctypes.create_string_buffer(_SIZES.size)
    call_seccomp(_GET_SIZES, 0, found)
    question, reply, _ = _SIZES.unpack(found.raw)
    return max(question, _QUESTION.size), max(reply, _REPLY.size)
