"""What Prometheus reads: counts and times of requests, and the state of the engine; one registry for each application."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class LaneReading:
    """A lane of the engine: workers that wait for a question, questions that wait for a worker and the seconds that those
    before them did, heavy queries at work.
    """

    idle: int = 0
    waiting: int = 0
    waited_seconds: float = 0.0
    slow: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """The state of the engine at one moment.

    `digest` names the dataset, None where it has no name: before it is loaded, and for files with blank nodes. `loaded` says
    whether it is loaded and verified. `living` counts the worker processes: it asks the kernel, so call it where the number is
    needed. `counts` is what happened to queries since the start, by event; `services` the endpoints of SERVICE, and whether each
    is left alone for a while; `free_bytes` the room on the disk that is written to, None where none is.
    """

    digest: str | None = None
    loaded: bool = False
    quads: int = 0
    living: Callable[[], int] = int
    lanes: Mapping[str, LaneReading] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    services: Mapping[str, bool] = field(default_factory=dict)
    free_bytes: Callable[[], int | None] = lambda: None


class Metrics:
    """The metrics of one application. `read` tells the state of the engine when it is asked for; `dropped` lost log lines."""

    def __init__(self, read: Callable[[], Reading], dropped: Callable[[], int] = lambda: 0) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "suasion_requests", "Requests, by route, status and outcome.", ["route", "status", "outcome"], registry=self.registry
        )
        self._seconds = Histogram(
            "suasion_request_seconds", "Time of requests.", ["route"], buckets=SECONDS, registry=self.registry
        )
        self._bytes = Counter("suasion_response_bytes", "Bytes of response bodies.", ["route"], registry=self.registry)
        self._cut = Counter("suasion_connections_cut", "Connections cut, by reason.", ["reason"], registry=self.registry)
        ProcessCollector(registry=self.registry)
        self.registry.register(_Engine(read, dropped))

    def served(self, route: str, status: str, outcome: str, seconds: float, size: int) -> None:
        """Count a request: its route template, its status ("none" where no response was begun), and what came of it."""
        self._requests.labels(route, status, outcome).inc()
        self._seconds.labels(route).observe(seconds)
        self._bytes.labels(route).inc(size)

    def connection_cut(self, reason: str) -> None:
        """Count a connection that the server ended: headers, body, writing or connections."""
        self._cut.labels(reason).inc()

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Return the text that a scraper accepts and its media type."""
        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type


class _Engine(Collector):
    def __init__(self, read: Callable[[], Reading], dropped: Callable[[], int]) -> None:
        self._read = read
        self._dropped = dropped

    def collect(self) -> Iterator[Metric]:
        """Yield the state of the engine."""
        reading = self._read()
        generation = {"digest": f"sha256:{reading.digest}"} if reading.digest else {}
        yield InfoMetricFamily("suasion_generation", "The dataset that is served.", value=generation)
        yield GaugeMetricFamily("suasion_quads", "Quads of the dataset.", value=reading.quads)
        yield GaugeMetricFamily("suasion_workers_living", "Worker processes that live.", value=reading.living())
        yield from _lanes(reading.lanes)
        events = CounterMetricFamily("suasion_queries", "What came of queries in the engine.", labels=["event"])
        for event, number in reading.counts.items():
            events.add_metric([event], number)
        yield events
        resting = GaugeMetricFamily(
            "suasion_service_resting", "Whether an endpoint of SERVICE is left alone.", labels=["endpoint"]
        )
        for endpoint, is_resting in reading.services.items():
            resting.add_metric([endpoint], is_resting)
        yield resting
        free_bytes = reading.free_bytes()
        if free_bytes is not None:
            yield GaugeMetricFamily("suasion_free_bytes", "Room on the disk that is written to.", value=free_bytes)
        yield CounterMetricFamily("suasion_log_lines_dropped", "Access log lines that were not written.", value=self._dropped())


def _lanes(lanes: Mapping[str, LaneReading]) -> Iterator[Metric]:
    idle = GaugeMetricFamily("suasion_workers_idle", "Workers that wait for a query.", labels=["lane"])
    slow = GaugeMetricFamily("suasion_workers_slow", "Workers with a heavy query.", labels=["lane"])
    waiting = GaugeMetricFamily("suasion_queries_waiting", "Queries that wait for a worker.", labels=["lane"])
    waited = CounterMetricFamily("suasion_queue_seconds", "Time that queries waited for a worker.", labels=["lane"])
    for name, lane in lanes.items():
        idle.add_metric([name], lane.idle)
        slow.add_metric([name], lane.slow)
        waiting.add_metric([name], lane.waiting)
        waited.add_metric([name], lane.waited_seconds)
    yield from (idle, slow, waiting, waited)
