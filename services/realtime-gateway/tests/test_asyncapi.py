"""The AsyncAPI document: references lead somewhere, every message has its schema, and the examples of the page fit."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from forgesyte_contracts.realtime import MessageType, ProgressEvent, message_name, message_schemas
from forgesyte_realtime_gateway.asyncapi import asyncapi_document
from forgesyte_realtime_gateway.description import client_messages

PAGE = Path(__file__).parents[3] / "docs" / "realtime.md"
DOCUMENT = asyncapi_document()
SCHEMAS = DOCUMENT["components"]["schemas"]


def shown() -> list[dict[str, Any]]:
    """Every message that stands on the page."""
    blocks = re.findall(r"^```json\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [json.loads(block) for block in blocks]


def has_envelope(message: dict[str, Any]) -> bool:
    return "timestamp" in message


def check(message: object, schema: str) -> None:
    """Raise ValidationError if the message breaks the schema of this name."""
    Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}).validate(
        message
    )


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def at(reference: str) -> Any:
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_every_reference_leads_somewhere():
    found = set(references(DOCUMENT))

    assert len(found) > 40
    for reference in found:
        assert at(reference), reference


def test_it_has_what_asyncapi_requires():
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(DOCUMENT["info"])
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} == {"/v1/realtime", "/ws/jobs/{job_id}"}
    for channel in DOCUMENT["channels"].values():
        assert set(channel.get("parameters", {})) == set(re.findall(r"{(\w+)}", channel["address"]))
    for operation in DOCUMENT["operations"].values():
        channel = operation["channel"]["$ref"]
        assert operation["action"] in ("send", "receive")
        # An operation may name only messages of its own channel.
        assert {one["$ref"].rpartition("/")[0] for one in operation["messages"]} == {f"{channel}/messages"}


def test_each_direction_of_each_channel_names_all_its_messages():
    for name, channel in DOCUMENT["channels"].items():
        ours = [one for one in DOCUMENT["operations"].values() if one["channel"]["$ref"] == f"#/channels/{name}"]
        named = [message["$ref"].rpartition("/")[2] for one in ours for message in one["messages"]]

        assert sorted(named) == sorted(channel["messages"])


@pytest.mark.parametrize("kind", MessageType)
def test_each_of_the_nine_messages_is_sent_with_its_schema(kind):
    message = at(DOCUMENT["channels"]["realtime"]["messages"][kind.value]["$ref"])
    schema = at(message["payload"]["$ref"])

    assert schema["properties"]["type"] == {"const": kind.value}
    assert at(schema["properties"]["payload"]["$ref"])["properties"]
    assert schema["required"] == message_schemas()[kind.value]["required"]
    assert {"$ref": message["payload"]["$ref"]} in SCHEMAS["ServerMessage"]["oneOf"]
    assert f"#/channels/realtime/messages/{kind.value}" in references(DOCUMENT["operations"]["send_messages"])


def test_every_schema_is_one():
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)


def test_every_message_on_the_page_fits_the_schema_of_its_type():
    messages = [message for message in shown() if has_envelope(message)]

    assert {message["type"] for message in messages} == set(MessageType)
    for message in messages:
        check(message, message_name(MessageType(message["type"])))
        check(message, "ServerMessage")


def test_every_flat_event_and_every_message_of_a_client_on_the_page_fits_its_schema():
    others = [message for message in shown() if not has_envelope(message)]

    assert {message.get("status", message.get("type")) for message in others} >= {
        "error",
        "completed",
        *client_messages(),
    }
    for message in others:
        name = "ClientMessage" if "type" in message else "EndingEvent" if "status" in message else "ProgressEvent"
        check(message, name)


def test_the_flat_progress_is_described_as_it_is_sent():
    event = ProgressEvent(job_id="j", current_frame=1, total_frames=None, least_percent=7)

    check(event.wire(), "ProgressEvent")
    with pytest.raises(ValidationError):
        check({**event.wire(), "least_percent": 7}, "ProgressEvent")


@pytest.mark.parametrize(
    "message",
    [
        {"type": "progress", "payload": {}, "timestamp": "2026-11-20T15:12:23.413Z"},
        {"type": "unheard", "payload": {}, "timestamp": "2026-11-20T15:12:23.413Z"},
        {"type": "pong", "payload": {"timestamp": "2026-11-20T15:12:23.413Z"}},
    ],
    ids=["payload without its fields", "unknown type", "no timestamp"],
)
def test_what_no_server_sends_fits_none(message):
    with pytest.raises(ValidationError):
        check(message, "ServerMessage")
