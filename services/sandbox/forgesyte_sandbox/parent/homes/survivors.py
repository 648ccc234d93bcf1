"""Ends the sandboxes of dead services before a living one touches what they may still write in."""

import asyncio
import logging
import os

from forgesyte_sandbox.shared.wall_rules import WallRules

from .uids import Uids

log = logging.getLogger(__name__)


async def end_survivors(wall: WallRules) -> None:
    """Kill what sandboxes of dead services left behind under the uids that are set aside; see Uids.end_abandoned().

    A service calls this before it sweeps their folders, which a living process could fill as fast as they are emptied.
    Nothing happens where sandboxes have no uid of their own; there a dead zygote's sandboxes die with it.
    """
    if wall.uids is None or os.geteuid() != 0:
        return
    uids = Uids(wall.uids)
    try:
        if ended := await asyncio.to_thread(uids.end_abandoned):
            log.warning("sandboxes of a dead service killed", extra={"uids": ended})
    except OSError as error:  # where uids are needed, the zygote's start fails for the same reason
        log.warning("sandboxes of dead services not looked for", extra={"reason": str(error)})
    finally:
        uids.close()
