"""Faults in what is given: values without a JSON form, and counts that no counter holds."""

import numpy as np

from forgesyte_sdk import Plugin, Tool, ToolOptions, ToolOutput

from .making import faulty


@faulty("gives-nan")
def gives_nan():
    return [1.5, float("nan")]


@faulty("gives-infinity")
def gives_infinity():
    return {"best": float("inf"), "worst": float("-inf")}


@faulty("gives-numpy")
def gives_numpy():
    return {"one": np.float32(1.5), "many": np.arange(3), "nan": np.float64("nan"), "yes": np.True_}


@faulty("gives-bytes")
def gives_bytes():
    return b"abc"


@faulty("gives-recursive")
def gives_recursive():
    value: list[object] = []
    value.append(value)
    return value


@faulty("gives-deep")
def gives_deep():
    value: object = None
    for _ in range(100_000):
        value = [value]
    return value


@faulty("gives-object")
def gives_object():
    return {"open": object()}


@faulty("gives-set")
def gives_set():
    return {1, 2}


@faulty("gives-huge-integer")
def gives_huge_integer():
    return 1 << 70


@faulty("gives-lone-surrogate")
def gives_lone_surrogate():
    return "lone \udc80 surrogate"


@faulty("gives-lying-mapping")
def gives_lying_mapping():
    """A dict that fails when it is read."""

    class Lying(dict):
        def items(self):
            raise RuntimeError("this dict cannot be read")

    return {"inside": Lying(a=1)}


class Counted(ToolOutput):
    """An output whose counts are what the plugin says."""

    value: int


def counting(plugin: str, count, class_counts=dict) -> type[Plugin]:
    """Make a plugin whose outputs count wrongly, from the third frame on."""

    class Output(Counted):
        def count(self):
            return count() if self.value >= 2 else 0

        def class_counts(self):
            return class_counts() if self.value >= 2 else {}

    class Misbehave(Tool[ToolOptions, Output]):
        name = "misbehave"
        Options = ToolOptions

        def process_frame(self, frame):
            return Output(value=frame.index)

    return type("Counting", (Plugin,), {"name": plugin, "version": "1.0.0", "tools": (Misbehave,)})


counts_text = counting("counts-text", lambda: "many")
counts_below_zero = counting("counts-below-zero", lambda: -5)
counts_beyond_64_bits = counting("counts-beyond-64-bits", lambda: 1 << 62)
counts_5000_classes = counting("counts-5000-classes", lambda: 1, lambda: {f"class {at}": 1 for at in range(5000)})


class GivesNothing(Tool[ToolOptions, Counted]):
    """Forgets to give an output."""

    name = "misbehave"
    Options = ToolOptions

    def process_frame(self, frame):
        return Counted(value=1) if frame.index < 2 else None


class gives_nothing(Plugin):  # noqa: N801 - named like the others
    """Returns None where an output is expected."""

    name = "gives-nothing"
    version = "1.0.0"
    tools = (GivesNothing,)
