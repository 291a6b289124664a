"""What /metrics counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "mnist_graph_requests",
    "Requests answered, by route and status",
    ["route", "status"],
    registry=REGISTRY,
)
LATENCY = Histogram(
    "mnist_graph_request_seconds",
    "From the request to its answer, in seconds",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
BATCH_SIZES = Histogram(
    "mnist_graph_batch_size",
    "Images or strips that were run together",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 1024),
    registry=REGISTRY,
)


def render() -> bytes:
    """Return all metrics as text."""
    return generate_latest(REGISTRY)
