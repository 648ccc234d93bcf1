"""A plugin that has help: processes by fork, what they share, Python programs, and signals between them.

Every tool of it does its work for each frame, and takes down what it started.
"""

import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from forgesyte_sdk import Plugin

from .tools import tool_of

fork, spawn = get_context("fork"), get_context("spawn")
LIMIT_S = 60
SUMS = "import sys; data = sys.stdin.buffer.read(); print(len(data), sum(data))"


def rows_of(frame):
    """Four rows of pixels, as small pieces of work."""
    height = frame.image.shape[0]
    return [frame.image[height * part // 4].copy() for part in range(4)]


def total(pixels):
    return int(pixels.sum(dtype=np.int64))


def put_total(queue, number, pixels):
    queue.put((number, total(pixels)))


def process(frame):
    """Processes that report through a queue, and end well."""
    queue = fork.Queue()
    helpers = [fork.Process(target=put_total, args=(queue, *work)) for work in enumerate(rows_of(frame))]
    for helper in helpers:
        helper.start()
    found = sorted(queue.get(timeout=LIMIT_S) for _ in helpers)
    for helper in helpers:
        helper.join(LIMIT_S)
    return found, [helper.exitcode for helper in helpers]


def echo(connection):
    while (pixels := connection.recv()) is not None:
        connection.send((pixels.shape, total(pixels)))


def pipe(frame):
    """A pipe in both directions, with pictures in it."""
    ours, its = fork.Pipe()
    helper = fork.Process(target=echo, args=(its,))
    helper.start()
    found = []
    for pixels in (frame.image, frame.image[::2]):
        ours.send(pixels)
        found.append(ours.recv() if ours.poll(LIMIT_S) else None)
    ours.send(None)
    helper.join(LIMIT_S)
    return found, helper.exitcode


def pool(frame):
    """A pool's ordered and unordered answers; leaving it terminates its processes."""
    with fork.Pool(2) as helpers:
        return helpers.map(total, rows_of(frame)), sorted(helpers.imap_unordered(total, rows_of(frame)))


def executor(frame):
    """The pool of concurrent.futures, which has threads beside its processes."""
    with ProcessPoolExecutor(2, mp_context=fork) as helpers:
        return list(helpers.map(total, rows_of(frame), timeout=LIMIT_S))


def count_up(lock, counter, times):
    for _ in range(times):
        with lock:
            counter.value += 1


def lock(frame):
    """A lock around a shared value: no step is lost."""
    guard, counter = fork.Lock(), fork.Value("q", frame.index, lock=False)
    helpers = [fork.Process(target=count_up, args=(guard, counter, 200)) for _ in range(3)]
    for helper in helpers:
        helper.start()
    count_up(guard, counter, 200)
    for helper in helpers:
        helper.join(LIMIT_S)
    return counter.value


def wait_for(event, array):
    if event.wait(LIMIT_S):
        array[0] = array[1] * 2


def event(frame):
    """An event, and an array of C numbers."""
    start, numbers = fork.Event(), fork.Array("d", [0.0, float(frame.image.mean())])
    helper = fork.Process(target=wait_for, args=(start, numbers))
    helper.start()
    start.set()
    helper.join(LIMIT_S)
    return list(numbers)


def invert(name, shape):
    memory = SharedMemory(name)
    pixels = np.ndarray(shape, np.uint8, memory.buf)
    np.subtract(255, pixels, out=pixels)
    del pixels
    memory.close()


def shared_memory(frame):
    """A picture that another process changes in place."""
    memory = SharedMemory(create=True, size=frame.image.nbytes)
    try:
        pixels = np.ndarray(frame.image.shape, np.uint8, memory.buf)
        pixels[:] = frame.image
        helper = fork.Process(target=invert, args=(memory.name, frame.image.shape))
        helper.start()
        helper.join(LIMIT_S)
        found = bool((pixels == 255 - frame.image).all())
        del pixels
    finally:
        memory.close()
        memory.unlink()
    return found, helper.exitcode


def program(frame):
    """A Python program, with the picture as its input, an exit code and an environment."""
    told = subprocess.run([sys.executable, "-c", SUMS], input=frame.image.tobytes(), capture_output=True, check=True)
    left = subprocess.run([sys.executable, "-c", "import os, sys; sys.exit(int(os.environ['N']))"], env={"N": "7"})
    return told.stdout.decode(), left.returncode


def numpy_program(frame):
    """A Python program that imports a package, at the first frame alone: it takes long."""
    if frame.index:
        return None
    command = [sys.executable, "-c", "import numpy, sys; print(numpy.frombuffer(sys.stdin.buffer.read(), 'u1').std())"]
    return subprocess.run(command, input=frame.image.tobytes(), stdout=subprocess.PIPE).stdout.decode()


def spawned(frame):
    """A process in a new interpreter, at the first frame alone: it takes long."""
    if frame.index:
        return None
    queue = spawn.Queue()
    helper = spawn.Process(target=put_total, args=(queue, 0, frame.image))
    helper.start()
    found = queue.get(timeout=LIMIT_S)
    helper.join(LIMIT_S)
    return found, helper.exitcode


def wait():
    signal.pause()


def abort():
    os.abort()


def raise_signal():
    signal.raise_signal(signal.SIGUSR1)


def signal_itself():
    os.kill(os.getpid(), signal.SIGUSR2)


def started(target):
    helper = fork.Process(target=target)
    helper.start()
    return helper


def signals(_frame):
    """What ends helpers: terminated, killed, aborted, by their own signal; a program that is terminated."""
    terminated, killed = started(wait), started(wait)
    terminated.terminate()
    killed.kill()
    helpers = [terminated, killed, started(abort), started(raise_signal), started(signal_itself)]
    for helper in helpers:
        helper.join(LIMIT_S)
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as sleeping:
        sleeping.terminate()
    return [helper.exitcode for helper in helpers], sleeping.returncode


class Helpers(Plugin):
    """Gets help from other processes."""

    name = "helpers"
    version = "0.1.0"
    tools = tuple(
        map(
            tool_of,
            (process, pipe, pool, executor, lock, event, shared_memory, program, numpy_program, spawned, signals),
        )
    )
