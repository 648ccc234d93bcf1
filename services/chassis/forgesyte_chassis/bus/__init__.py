"""The bus: records with compare-and-set, the work queue, who lives, words to owners, live messages.

The only package of ours that knows NATS. What it raises is BusUnavailable, or an error of the contract.
"""

from .bus import Bus
from .claim import Adopted, Claim, Claimed, Refused, claim
from .control import CANCEL, RELOAD, WATCH
from .cut import RecordUnwritable
from .errors import BusUnavailable
from .job_feed import Changed, JobFeed
from .live import LiveMessage
from .plugins import PluginView
from .records import Stored
from .runners import RunnerView
from .work import Delivery

__all__ = [
    "CANCEL",
    "RELOAD",
    "WATCH",
    "Adopted",
    "Bus",
    "BusUnavailable",
    "Changed",
    "Claim",
    "Claimed",
    "Delivery",
    "JobFeed",
    "LiveMessage",
    "PluginView",
    "RecordUnwritable",
    "Refused",
    "RunnerView",
    "Stored",
    "claim",
]
