"""What is promised for each fault: the table that the matrix runs, one row a plugin of plugins/.

A row says how the run in the sandbox ends, with which exact text and class, and what ends it. What the whole product
shows for it (record, refusal) follows from the row. A row that fails is a promise that is broken: it stays as it is.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

Kind = Literal["succeeded", "failed", "timeout", "oom", "crashed"]
MIB = 1 << 20

STEP_S = 1.0
"""The limit of a step in the rows that pass it."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One fault and what is promised for it.

    Attributes:
        plugin: entry point and name of the plugin.
        kinds: endings that are right; more than one only where two guards race.
        text: the whole error for `failed`, a part of it for the other kinds; "" says nothing about it.
        error_type: the exception's class; "" is the kind itself.
        limits: fields of Limits that differ from the matrix's.
        over: seconds of the limit that the fault passes; 0 when the verdict should follow the fault itself. (The moment
            in which memory passes its limit is not known: the time such a fault needs to take it counts as late.)
        frame: where it happens; None before the first frame.
        program: `job`, or `manifest` for what already shows when the plugin is looked at.
        warning: part of a warning that the run must give.
        is_long: takes more than a few seconds, or much memory: only in the long form.
        degraded: what is promised without Landlock and without a uid of its own, where that is something else.
    """

    plugin: str
    kinds: tuple[Kind, ...]
    text: str = ""
    error_type: str = ""
    limits: dict[str, float] = field(default_factory=dict)
    over: float = 0.0
    frame: int | None = 2
    program: Literal["job", "manifest"] = "job"
    warning: str = ""
    is_long: bool = False
    degraded: "Promise | None" = None

    @property
    def when_degraded(self) -> "Promise":
        """What is promised where the wall is degraded."""
        return self.degraded or self


def succeeds(plugin: str, **facts: Any) -> Promise:
    return Promise(plugin, ("succeeded",), frame=None, **facts)


def fails(plugin: str, error_type: str, text: str = "", **facts: Any) -> Promise:
    return Promise(plugin, ("failed",), text, error_type, **facts)


def crashes(plugin: str, text: str, **facts: Any) -> Promise:
    return Promise(plugin, ("crashed",), text, **facts)


def hangs(plugin: str, text: str = "processing a frame took longer than its limit of 1 s", **facts: Any) -> Promise:
    return Promise(plugin, ("timeout",), text, **{"limits": {"frame_timeout_s": STEP_S}, "over": STEP_S, **facts})


def hangs_loading(plugin: str, **facts: Any) -> Promise:
    limits = {"load_timeout_s": STEP_S}
    return hangs(plugin, "loading the plugin took longer than its limit of 1 s", limits=limits, frame=None, **facts)


def eats(plugin: str, **facts: Any) -> Promise:
    return Promise(plugin, ("oom",), **facts)


def refuses(plugin: str, error_type: str, text: str = "", **facts: Any) -> Promise:
    """The plugin is seen to be broken before it has a job; `text` is a part of the reason."""
    return Promise(plugin, ("failed",), text, error_type, frame=None, program="manifest", **facts)


EXCEPTIONS = (
    fails("raises", "ValueError", "bad frame: naïve text, 50 % of it"),
    fails("raises-unpicklable", "HoldsLockError", "it holds a lock"),
    fails("raises-mute", "MuteError", "<MuteError, whose str() raised RuntimeError>"),
    fails("raises-long", "ValueError"),
    fails("raises-group", "ExceptionGroup", "two at once (2 sub-exceptions)"),
    fails("raises-system-exit", "SystemExit", "3"),
    fails("raises-keyboard-interrupt", "KeyboardInterrupt", "stop that"),
    fails("raises-generator-exit", "GeneratorExit", "closed"),
    fails("raises-recursion", "RecursionError", "maximum recursion depth exceeded"),
)

DEATHS = (
    crashes("exits-0", "exited with code 0 at frame 2"),
    crashes("exits-3", "exited with code 3 at frame 2"),
    crashes("segfaults", "was killed by SIGSEGV at frame 2"),
    crashes("aborts", "was killed by SIGABRT at frame 2"),
    crashes("kills-itself", "was killed by SIGKILL at frame 2"),
    crashes("lets-an-alarm-ring", "was killed by SIGALRM at frame 2"),
)

HANGS = (
    hangs("loops"),
    hangs("sleeps-in-c"),
    hangs("regex-catastrophe"),
    hangs("ignores-sigterm"),
    hangs("stops-itself", "took longer than its limit of 1 s", frame=None),  # the decoder stands still too
    hangs("turns-the-clock-and-hangs", limits={"frame_timeout_s": STEP_S, "job_timeout_s": 6.0}, frame=1),
    succeeds("slow-within-limit", limits={"frame_timeout_s": 10.0}),
)

MEMORY = (
    eats("takes-3-gb"),
    eats("takes-64-mb-steps"),
    eats("takes-8-gib-of-zeros"),
    eats("takes-shared-memory"),
    eats("takes-memfd"),
    fails("takes-sysv-segments", "PermissionError"),
    eats("takes-memory-in-a-grandchild"),
    eats("leaks-5-mb-a-frame", frame=None),
    succeeds("takes-8-mib"),
    eats("thread-bomb"),
    # CPython sometimes loses the MemoryError on its way and says SystemError instead.
    Promise("raises-recursion-limit", ("oom", "failed"), limits={"memory_bytes": 96 * MIB}),
    # It may have written all of it before the next look at the run's memory.
    Promise("fills-dev-shm", ("oom", "succeeded")),
)

OFFSPRING = (
    succeeds("leaves-daemons"),
    crashes("leaves-daemons-and-segfaults", "was killed by SIGSEGV at frame 2"),
    hangs("leaves-daemons-and-hangs"),
    Promise("fork-bomb", ("timeout", "oom"), limits={"frame_timeout_s": 3.0}, over=3.0),
    succeeds("leaves-a-flooding-daemon"),
)

FLOODS = (
    succeeds("floods-stdout"),
    succeeds("floods-stderr"),
    fails("gives-200-mb", "OutputTooLarge", limits={"memory_bytes": 2048 * MIB}),
    fails("gives-many-small", "OutputTooLarge"),
    succeeds("warns-without-end", warning="misbehave, frame "),
)

VALUES = (
    succeeds("gives-nan", warning="nan has no JSON form; null was written"),
    succeeds("gives-infinity", warning="inf has no JSON form; null was written"),
    succeeds("gives-numpy", warning="nan has no JSON form; null was written"),
    succeeds("gives-lone-surrogate", warning="lone surrogate"),
    fails("gives-bytes", "TypeError"),
    fails("gives-recursive", "ValueError"),
    fails("gives-deep", "ValueError"),
    fails("gives-object", "TypeError"),
    fails("gives-set", "TypeError"),
    fails("gives-huge-integer", "ValueError"),
    Promise("gives-lying-mapping", ("failed", "succeeded")),
    fails("gives-nothing", "ValidationError"),
    fails("counts-text", "TypeError"),
    fails("counts-below-zero", ""),
    fails("counts-beyond-64-bits", ""),
    Promise("counts-5000-classes", ("failed", "succeeded")),
)

WIRE = (
    crashes("writes-garbage", "a message of 4294967295 bytes was announced"),
    crashes("writes-unknown-message", "known kind of message"),
    crashes("writes-broken-row", "a row's head is broken"),
    crashes("writes-half-a-message", "the pipe ended in a message"),
    hangs("writes-half-a-message-and-hangs"),
    Promise("forges-its-end", ("succeeded", "crashed"), frame=None),
    crashes("shuts-its-pipe", ""),
    crashes("closes-all-descriptors", ""),
    crashes("closes-all-descriptors-and-hangs", "it closed its pipe"),
)

SURROUNDINGS = (
    fails("writes-outside", "PermissionError", degraded=succeeds("writes-outside")),
    # A fresh sandbox works in a folder that it cannot remove; a job in a warm one in a folder of its own beneath it.
    Promise(
        "removes-its-scratch",
        ("failed", "succeeded"),
        error_type="PermissionError",
        degraded=succeeds("removes-its-scratch"),
    ),
    succeeds("changes-cwd"),
    succeeds("changes-environment"),
    succeeds("changes-signal-handlers"),
    # The limit cannot go below the depth of the call that sets it: what remains may or may not be enough.
    Promise("lowers-recursion-limit", ("failed", "succeeded"), error_type="RecursionError", frame=None),
    succeeds("patches-json"),
    crashes("patches-orjson", "the sandbox broke the message protocol", frame=None),
    succeeds("exits-by-atexit"),
)

STEPS = (
    refuses("construct-fails", "RuntimeError", "construct went wrong; look at its log"),
    hangs_loading("construct-hangs", program="manifest"),
    refuses("validate-fails", "RuntimeError", "validate went wrong; look at its log"),
    refuses("validate-rejects-value", "ValueError", "the setting colour is purple; set it to red or green"),
    hangs_loading("validate-hangs", program="manifest"),
    eats("validate-takes-3-gb", frame=None, program="manifest"),
    fails("load-fails", "RuntimeError", "load went wrong; look at its log", frame=None),
    hangs_loading("load-hangs"),
    crashes("load-segfaults", "was killed by SIGSEGV", frame=None),
    fails("prepare-fails", "RuntimeError", "prepare went wrong; look at its log", frame=None),
    hangs("prepare-hangs", "prepare() took longer than its limit of 1 s", frame=None),
    fails("finalize-fails", "RuntimeError", "finalize went wrong; look at its log", frame=None),
    hangs(
        "finalize-hangs", "finalize() took longer than its limit of 1 s",
        limits={"finalize_timeout_s": STEP_S}, frame=None,
    ),
)  # fmt: skip

IMPORTS = (
    refuses("import-fails", "ModuleNotFoundError", "No module named 'no_such_package_anywhere'"),
    refuses("import-syntax-error", "SyntaxError", "invalid syntax"),
    refuses("import-exits", "SystemExit", "usage: detect.py VIDEO"),
    refuses("module-missing", "ModuleNotFoundError", "No module named 'forgesyte_misbehaving.no_such_module'"),
    hangs_loading("import-hangs", program="manifest"),
    crashes("import-segfaults", "was killed by SIGSEGV", frame=None, program="manifest"),
)

MANIFESTS = (
    refuses("manifest-bad-name", "PluginContractError", "name 'Bad Name' should be"),
    refuses("manifest-no-name", "PluginContractError", "name None should be"),
    refuses("manifest-bad-version", "PluginContractError", "expected SemVer"),
    refuses("manifest-no-tools", "PluginContractError", "expected a tuple of one or more Tool classes"),
    refuses("manifest-tools-list", "PluginContractError", "expected a tuple of one or more Tool classes"),
    refuses("manifest-tool-no-class", "PluginContractError", "expected a class derived from Tool"),
    refuses("manifest-tool-twice", "PluginContractError", "found twice: misbehave"),
    refuses("manifest-tool-mute", "PluginContractError", "has neither process_frame nor process_batch"),
    refuses("manifest-bad-inputs", "PluginContractError", "`inputs` is ('sound',)"),
    refuses("manifest-loose-options", "PluginContractError", "must refuse unknown fields"),
    refuses("manifest-no-schema", "PluginContractError", "misbehave"),
    refuses("manifest-bad-isolation", "PluginContractError", "`isolation` is 'none'"),
    refuses("manifest-bad-limits", "ValidationError", "greater than 0"),
    refuses("manifest-absurd-limits", "ValidationError", "memory_bytes"),
    refuses("manifest-bad-requires", "PluginContractError", "requires"),
    refuses("manifest-long-text", "PluginContractError", "description"),
    refuses("manifest-of-900-kib", "PluginContractError", "KiB"),
    refuses("manifest-of-5000-kib", "PluginContractError", "KiB"),
    refuses("manifest-none", "PluginContractError", "PluginManifest"),
    refuses("manifest-text", "PluginContractError", "PluginManifest"),
    refuses("manifest-raises", "RuntimeError", "no manifest today"),
    refuses("manifest-not-a-plugin", "TypeError", "derived from forgesyte_sdk.Plugin"),
    refuses("manifest-an-instance", "TypeError", "derived from forgesyte_sdk.Plugin"),
    refuses("manifest-no-such-class", "AttributeError", "nothing_of_that_name"),
)

GROUPS = {
    "EXCEPTIONS": EXCEPTIONS, "DEATHS": DEATHS, "HANGS": HANGS, "MEMORY": MEMORY, "OFFSPRING": OFFSPRING,
    "FLOODS": FLOODS, "VALUES": VALUES, "WIRE": WIRE, "SURROUNDINGS": SURROUNDINGS, "STEPS": STEPS,
    "IMPORTS": IMPORTS, "MANIFESTS": MANIFESTS,
}  # fmt: skip
PROMISES = tuple(promise for group in GROUPS.values() for promise in group)
HARMLESS = ("healthy", "echoes", "raises-by-name")

POISON = ("manifest-of-900-kib", "manifest-of-5000-kib")
"""Plugins that would spoil the run for all others if their promise is broken: the product is run for each alone."""

CANNOT_WAIT = (
    "leaks-5-mb-a-frame", "turns-the-clock-and-hangs", "warns-without-end", "gives-nothing", "counts-text",
    "counts-below-zero", "counts-beyond-64-bits", "counts-5000-classes",
)  # fmt: skip
"""Faults whose frame cannot be chosen."""

DIE_IN_LOAD = ("load-hangs", "load-segfaults")
"""The first such death disables the plugin, so the job is not tried again: it ends because no runner can run it."""

ON_IMAGE = tuple(
    replace(promise, frame=0, text=promise.text.replace("frame 2", "frame 0"))
    for promise in PROMISES
    if promise.plugin
    in {
        "raises", "segfaults", "loops", "stops-itself", "takes-8-gib-of-zeros", "takes-shared-memory", "gives-nan",
        "gives-200-mb", "leaves-daemons-and-hangs", "writes-half-a-message", "closes-all-descriptors",
    }
)  # fmt: skip
"""Faults on an image, where the first frame is the last one and another decoder stands beside the tools."""

IN_A_JOB = tuple(promise for promise in PROMISES if promise.program == "job")
"""What shows when a plugin is looked at has nothing to do with its isolation; this has."""

CASES = {
    **{("job", "video", name): group for name, group in GROUPS.items()},
    ("job", "image", "ON_IMAGE"): ON_IMAGE,
    **{
        ("plugin", "video", name): found
        for name, group in GROUPS.items()
        if (found := tuple(promise for promise in group if promise in IN_A_JOB))
    },
    ("plugin", "image", "ON_IMAGE"): ON_IMAGE,
}
"""What the long form runs through the product: isolation, media and group, and the faults of it."""

IN_PRODUCT_ALONE: dict[str, tuple[str, str]] = {
    "manifest-other-name": ("FAILED", "another-plugin"),
    "twin": ("FAILED", "forgesyte-misbehaving-twin 0.1.0"),
    "needs-package": ("UNAVAILABLE", "no_such_package_anywhere"),
    "needs-gpu": ("UNAVAILABLE", "GPU"),
    "asks-for-a-day": ("UNAVAILABLE", "at most 600 s are allowed here"),
    "asks-for-a-tib": ("UNAVAILABLE", "it asks for 1048576 MiB per job and at most"),
    "model-missing": ("UNAVAILABLE", "missing.onnx"),
    "model-empty": ("UNAVAILABLE", "empty.onnx"),
    "model-5-bytes": ("UNAVAILABLE", "five-bytes.onnx"),
    "model-text": ("UNAVAILABLE", "text.onnx"),
    "model-wrong-sum": ("UNAVAILABLE", "good.onnx"),
    "model-folder": ("UNAVAILABLE", "folder.onnx"),
    "model-good": ("INITIALIZED", ""),
}
"""Plugins that only a runner finds wrong (state, part of the reason): it compares names and looks at requirements."""
