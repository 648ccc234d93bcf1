"""Each step of a plugin's life before and after the frames, failing and hanging."""

from .making import faulty


def fail(step: str):
    def fault():
        raise RuntimeError(f"{step} went wrong; look at its log")

    fault.__name__ = step
    return fault


def hang():
    while True:
        pass


construct_fails = faulty("construct-fails", step="construct")(fail("construct"))
construct_hangs = faulty("construct-hangs", step="construct")(hang)
validate_fails = faulty("validate-fails", step="validate")(fail("validate"))
validate_hangs = faulty("validate-hangs", step="validate")(hang)
load_fails = faulty("load-fails", step="load")(fail("load"))
load_hangs = faulty("load-hangs", step="load")(hang)
prepare_fails = faulty("prepare-fails", step="prepare")(fail("prepare"))
prepare_hangs = faulty("prepare-hangs", step="prepare")(hang)
finalize_fails = faulty("finalize-fails", step="finalize")(fail("finalize"))
finalize_hangs = faulty("finalize-hangs", step="finalize")(hang)


@faulty("validate-rejects-value", step="validate")
def validate_rejects_value():
    raise ValueError("the setting colour is purple; set it to red or green")


@faulty("validate-takes-3-gb", step="validate")
def validate_takes_3_gb():
    return bytearray(3 << 30)


@faulty("load-segfaults", step="load")
def load_segfaults():
    import ctypes

    ctypes.string_at(0)
