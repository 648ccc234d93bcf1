"""The bus: records with compare-and-set, the work queue, runners and plugins, control and live messages.

The only package of the product that knows NATS; it never imports the store or HTTP. It raises BusUnavailable or an
error of the contract. Other rooms import the names below and never a module of this package.
"""

from .bus import Bus
from .claim import Adopted, Claim, Claimed, Elsewhere, Refused, claim
from .control_messages import CANCEL, RELOAD, WATCH
from .errors import BusUnavailable
from .live import Live, LiveMessage
from .queue.work import PULL_WAIT_S, Delivery, WorkQueue
from .records.job_feed import Changed, JobFeed
from .records.open_jobs import OpenJobs, following_open_jobs
from .records.plugins import PluginTable, PluginUnwritable, PluginView
from .records.record_size import RecordUnwritable
from .records.records import Records, Stored
from .records.runners import RunnerTable, RunnerView
from .server_config import ServerConfig

__all__ = [
    "CANCEL",
    "PULL_WAIT_S",
    "RELOAD",
    "WATCH",
    "Adopted",
    "Bus",
    "BusUnavailable",
    "Changed",
    "Claim",
    "Claimed",
    "Delivery",
    "Elsewhere",
    "JobFeed",
    "Live",
    "LiveMessage",
    "OpenJobs",
    "PluginTable",
    "PluginUnwritable",
    "PluginView",
    "RecordUnwritable",
    "Records",
    "Refused",
    "RunnerTable",
    "RunnerView",
    "ServerConfig",
    "Stored",
    "WorkQueue",
    "claim",
    "following_open_jobs",
]
