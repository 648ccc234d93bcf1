"""Program `warm`: load a plugin once, then serve one job after the other with it (`isolation: plugin`).

spec: WarmSpec. Each job comes as JSON with the parent's GO: `spec` (a JobSpec), `limits`. Tool instances are made for
each job; the plugin object, its modules and what they hold stay. The program never ends well: it exits after
the first failure that a plugin had a part in, when what a job changed cannot be restored, and when it is killed. The
parent replaces it.
"""

import gc
import os
import sys
from pathlib import Path
from typing import NoReturn

from forgesyte_sandbox.child import hardening
from forgesyte_sandbox.child.context import Context, flush_output
from forgesyte_sandbox.child.failures import describe
from forgesyte_sandbox.child.refusal import Refusal
from forgesyte_sandbox.shared.heartbeat import Lane, Step
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.messages import AnyMessage, Finished
from forgesyte_sandbox.shared.specs import JobSpec, WarmSpec
from forgesyte_sandbox.shared.warm_folders import FROM_LOAD, OF_JOB
from forgesyte_sdk import Plugin

from .job import Job, make_tools
from .plugins import load_plugin
from .process_state import ProcessState


def run(context: Context[WarmSpec]) -> NoReturn:
    """Load the plugin, then serve jobs.

    Raises:
        BaseException: what the plugin raises in load or in a job; it ends the sandbox.
    """
    home = Path.cwd()
    _move_into(home / FROM_LOAD)
    plugin = load_plugin(context.spec.entry_point, context.spec.device)
    state = ProcessState()
    gc.collect()
    gc.freeze()  # what is loaded stays: the collection after each job visits only that job's objects
    while True:
        order = context.loaded()
        context.heartbeat.enter(Lane.TOOLS, Step.PREPARE)
        scratch = home / OF_JOB
        _move_into(scratch)
        _serve(context.of_job(JobSpec.read(order["spec"]), Limits.from_dict(order["limits"])), plugin)
        gc.collect()
        if (reason := state.restore(scratch)) is not None:
            _leave(reason)


def _move_into(folder: Path) -> None:
    folder.mkdir(0o700, exist_ok=True)
    hardening.move_into(str(folder))


def _serve(context: Context[JobSpec], plugin: Plugin) -> None:
    """Run one job and send its last message. When this returns, nothing here refers to the job any more."""
    job: Job | None = None
    last: AnyMessage
    try:
        job = Job(context, make_tools(plugin, context.spec))
        last = Finished(job.run())
    except Refusal as refusal:
        failed = describe(refusal, frame=context.heartbeat.frame)
        if not failed.is_about_the_order or (job is not None and job.has_begun):
            raise
        last = failed
    flush_output()
    context.send(last)


def _leave(reason: str) -> NoReturn:
    sys.stderr.write(f"the warm sandbox is replaced: {reason}\n")
    sys.stderr.flush()
    os._exit(0)
