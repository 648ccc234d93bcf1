"""Which requests get server-sent events."""

import pytest

from forgesyte_realtime_gateway.sockets.event_stream import accepts_events


@pytest.mark.parametrize(
    ("accept", "is_stream"),
    [
        pytest.param("text/event-stream", True, id="named"),
        pytest.param("application/json, text/event-stream;q=0.5", True, id="among-others"),
        pytest.param("Text/Event-Stream", True, id="media-types-have-no-case"),
        pytest.param("*/*", False, id="anything"),
        pytest.param("", False, id="nothing"),
        pytest.param("text/event-streams", False, id="another-type"),
    ],
)
def test_a_client_that_names_the_event_stream_gets_it(accept, is_stream):
    assert accepts_events(accept) is is_stream
