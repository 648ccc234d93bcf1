"""The bus: records with compare-and-set, the work queue, who lives, words to owners, live messages.

The only package of ours that knows NATS. What it raises is BusUnavailable, or an error of the contract.
"""

from .bus import Bus
from .claim import Adopted, Claim, Claimed, Refused, claim
from .control_messages import CANCEL, RELOAD, WATCH
from .errors import BusUnavailable
from .live import LiveMessage
from .records.job_feed import Changed, JobFeed
from .records.plugins import PluginView
from .records.record_size import RecordUnwritable
from .records.records import Stored
from .records.runners import RunnerView
from .server_config import ServerConfig
from .work.work import Delivery

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
    "ServerConfig",
    "Stored",
    "claim",
]
