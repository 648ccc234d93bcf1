"""The gateway's metrics. Labels are closed sets (transports, message types, reasons), never a job or a session."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from forgesyte_contracts.realtime import MessageType

from .metric_labels import Reason, Result, Transport

_LAG_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0)


class GatewayMetrics:
    """The metrics, in a registry that the caller owns."""

    def __init__(self, registry: CollectorRegistry) -> None:
        name = "forgesyte_gateway"
        self.connections = Gauge(f"{name}_connections", "Open connections", ["transport"], registry=registry)
        self.connects = Counter(f"{name}_connects", "Attempts to connect, by result", ["result"], registry=registry)
        self.disconnects = Counter(f"{name}_disconnects", "Ended connections", ["reason"], registry=registry)
        self.events = Counter(f"{name}_events", "Messages handed to clients", ["type"], registry=registry)
        self.dropped = Counter(f"{name}_events_dropped", "Messages not delivered, to any client or to one of them",
                               ["type", "reason"], registry=registry)  # fmt: skip
        self.coalesced = Counter(f"{name}_events_coalesced", "Messages replaced by a newer one before they were sent",
                                 registry=registry)  # fmt: skip
        self.lag = Histogram(f"{name}_event_lag_seconds", "From a message's arrival to its last client's socket",
                             buckets=_LAG_BUCKETS, registry=registry)  # fmt: skip
        self.evicted = Counter(f"{name}_slow_clients_evicted", "Clients closed because they did not read",
                               registry=registry)  # fmt: skip
        # Each label exists from the start, so that "never happened" reads as 0 and not as a missing series.
        for metric, values in ((self.connections, Transport), (self.connects, Result), (self.disconnects, Reason),
                               (self.events, MessageType)):  # fmt: skip
            for value in values:
                metric.labels(value)
