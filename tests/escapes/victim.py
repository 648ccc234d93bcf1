"""A process of the service's own uid, as every service is one: it holds a secret and notes every signal.

A plain script: `python -I victim.py FILE NUMBER SECRET`, with the secret also in VICTIM_SECRET; FILE gets the numbers
of the signals, which are NUMBER and those of real time.
It prints what an attacker would have to find out.
"""

import ctypes
import json
import os
import signal
import sys
import tempfile
import threading

secret = os.environ["VICTIM_SECRET"].encode()
heard = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def note(number: int, _: object) -> None:
    """Write down which signal came."""
    os.write(heard, f"{number}\n".encode())


for number in (int(sys.argv[2]), *range(signal.SIGRTMIN, signal.SIGRTMAX + 1)):
    signal.signal(number, note)
held = ctypes.create_string_buffer(secret)
changeable = ctypes.create_string_buffer(b"untouched")
nameless = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - held until the end
nameless.write(secret)
facts = {
    "pid": os.getpid(), "address": ctypes.addressof(held), "changeable": ctypes.addressof(changeable),
    "descriptor": nameless.fileno(),
}  # fmt: skip
print(json.dumps(facts), flush=True)
PAUSE = threading.Event()
while True:
    PAUSE.wait(0.02)
