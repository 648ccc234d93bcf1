"""Program `decode`: decode a file as a job does, and nothing else. Runs no plugin.

spec: DecodeSpec. It settles whose fault it was that a sandbox died while its decoder was at work: media that cannot be
decoded without a plugin either dies here too. So everything is as in the program `job`: the steps, the limits, the
thread that decodes ahead.
"""

from pathlib import Path
from typing import Any

from forgesyte_sandbox.child.context import Context
from forgesyte_sandbox.child.media.decode_ahead import DecodeAhead
from forgesyte_sandbox.child.media.media_limits import MediaGuard
from forgesyte_sandbox.child.media.open_source import open_source
from forgesyte_sandbox.shared.heartbeat import Lane, Step
from forgesyte_sandbox.shared.specs import DecodeSpec


def run(context: Context[DecodeSpec]) -> dict[str, Any]:
    """Decode the first frames, and return how many there were.

    Raises:
        Refusal: MEDIA_INVALID or MEDIA_TOO_LARGE.
    """
    context.loaded()
    heartbeat, spec = context.heartbeat, context.spec
    heartbeat.enter(Lane.TOOLS, Step.DECODE)
    allowed = MediaGuard(spec.media, run_memory_bytes=context.limits.memory_bytes)
    source = open_source(Path(spec.input), spec.kind, allowed)
    heartbeat.enter(Lane.TOOLS, Step.WAIT)
    for picture in DecodeAhead(source, heartbeat, context.limits).pictures():
        heartbeat.enter(Lane.TOOLS, Step.WAIT, picture.index)
        if picture.index + 1 >= spec.frames:
            break
    return {"frames_decoded": source.decoded}
