"""Program `warm`: load a plugin once, then serve one job after the other with it (`isolation: plugin`).

spec: `entry_point`, `device`. Each job comes as JSON with the GO of the parent: `spec` (the program job's), `limits`,
`scratch`. Tool instances are made for each job; the plugin object, its modules and what they hold stay. The program has
no end of its own: it leaves after the first failure that a plugin had a part in, when what a job changed can not be put
back, and when it is killed. The parent replaces it.
"""

import gc
import os
import sys
from pathlib import Path
from typing import NoReturn

import orjson

from forgesyte_sandbox.child import hardening
from forgesyte_sandbox.child.context import Context, flush_output
from forgesyte_sandbox.child.refusal import Refusal
from forgesyte_sandbox.shared.heartbeat import Lane, Step
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.messages import AnyMessage, Finished
from forgesyte_sdk import Plugin

from .failures import describe
from .job import Job, JobSpec, make_tools
from .plugins import load_plugin
from .process_state import Surroundings


def run(context: Context) -> NoReturn:
    """Load, serve.

    Raises:
        BaseException: whatever the plugin raises in load or in a job; it ends the sandbox.
    """
    plugin = load_plugin(context.spec["entry_point"], context.spec.get("device", "cpu"))
    surroundings = Surroundings()
    gc.collect()
    gc.freeze()  # what is loaded stays: the collection after each job looks at that job alone
    while True:
        order = orjson.loads(context.loaded())
        context.heartbeat.enter(Lane.TOOLS, Step.PREPARE)
        scratch = Path(order["scratch"]).resolve()
        hardening.move_into(str(scratch))
        _serve(context.of_job(order["spec"], Limits.from_dict(order["limits"])), plugin)
        gc.collect()
        if (reason := surroundings.put_back(scratch)) is not None:
            _leave(reason)


def _serve(context: Context, plugin: Plugin) -> None:
    """Run one job and send its last message. When this returns, nothing here holds an object of the job any more."""
    spec, job = JobSpec.read(context.spec), None
    last: AnyMessage
    try:
        job = Job(context, spec, make_tools(plugin, spec))
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
