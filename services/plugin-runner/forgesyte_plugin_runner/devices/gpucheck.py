"""Whether a plugin can use a GPU here: PyTorch says yes AND the driver's own tool answers.

Neither can be trusted alone: PyTorch keeps saying yes about a driver that failed after it looked, and the driver's tool
knows nothing about a PyTorch built for the cpu. PyTorch is asked in a child, because this process never imports it and
because a broken driver takes its caller down. The child receives none of this process's secrets.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec

TORCH_LIMIT_S = 60.0
SMI_LIMIT_S = 5.0
_ASK_TORCH = "import torch; print(torch.cuda.is_available())"
_PASSED_ON = ("PATH", "HOME", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
_PASSED_ON_PREFIXES = ("CUDA_", "NVIDIA_")

Question = Callable[[], Awaitable[str | None]]
"""Returns None for yes, else what speaks against it."""


async def ask_torch() -> str | None:
    """Ask torch.cuda.is_available() in a child."""
    if find_spec("torch") is None:
        return "torch is not installed"
    code, said = await _run(sys.executable, "-P", "-c", _ASK_TORCH, limit_s=TORCH_LIMIT_S)
    # The last line: a library may print a greeting first.
    if code == 0 and said.rpartition("\n")[2] == "True":
        return None
    if code == 0:
        return "torch.cuda.is_available() is False"
    return "torch did not answer" if code is None else f"torch could not be queried (exit code {code})"


async def ask_smi(limit_s: float = SMI_LIMIT_S) -> str | None:
    """Ask whether nvidia-smi succeeds within its limit."""
    try:
        code, _ = await _run("nvidia-smi", limit_s=limit_s)
    except FileNotFoundError:
        return "nvidia-smi was not found"
    if code is None:
        return f"nvidia-smi did not answer within {limit_s:g} s"
    return None if code == 0 else f"nvidia-smi ended with exit code {code}"


@dataclass(slots=True)
class GpuCheck:
    """Asks both and remembers the answer until forget(): PyTorch takes seconds to import.

    Attributes:
        torch, smi: the two questions; tests pass their own.
    """

    torch: Question = ask_torch
    smi: Question = ask_smi
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _answer: tuple[str | None] | None = None

    async def fault(self) -> str | None:
        """Return why no GPU can be used and what to do; None when one can."""
        async with self._lock:
            if self._answer is None:
                self._answer = (await self._ask(),)
            return self._answer[0]

    def forget(self) -> None:
        """Ask again at the next call."""
        self._answer = None

    async def _ask(self) -> str | None:
        against = [text for text in (await self.smi(), await self.torch()) if text is not None]
        if not against:
            return None
        return (
            f"it needs a GPU with CUDA, but none was found: {' and '.join(against)}; use a machine with an NVIDIA GPU, "
            "its driver and a CUDA build of torch"
        )


async def _run(*command: str, limit_s: float) -> tuple[int | None, str]:
    """Run a command; return its exit code (None: it took too long and was killed) and its output.

    Raises:
        FileNotFoundError: there is no such command.
    """
    env = {
        name: text for name, text in os.environ.items() if name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)
    }
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=env,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(limit_s):
            said, _ = await process.communicate()
        return process.returncode, said.decode(errors="replace").strip()
    except TimeoutError:
        return None, ""
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
