"""Specs cross the pipe as plain JSON and are closed: what no field takes is refused by name."""

import subprocess
import sys

import orjson
import pytest

from forgesyte_sandbox.shared.specs import (
    SPECS,
    AnnotateSpec,
    JobSpec,
    ManifestSpec,
    MediaLimits,
    ProbeSpec,
    SpecRefused,
    WarmSpec,
)

WHOLE = [
    ManifestSpec("package:Plugin"),
    WarmSpec("package:Plugin", "cuda:0"),
    JobSpec("package:Plugin", ["find"], "/in", "job-1", "image", "cpu", {"find": {"at": 3}}, [7], media=MediaLimits(9)),
    ProbeSpec("/in", "image", 10, [[2, 8]], media=MediaLimits(max_frames=5, decode_memory_bytes=3)),
    AnnotateSpec("/in", "/rows", ["find"], "out.mp4"),
]


@pytest.mark.parametrize("spec", WHOLE, ids=lambda spec: spec.PROGRAM)
def test_a_spec_comes_back_from_its_json(spec):
    plain = orjson.loads(orjson.dumps(spec.to_dict()))

    assert SPECS[spec.PROGRAM].read(plain) == spec


@pytest.mark.parametrize("spec", WHOLE, ids=lambda spec: spec.PROGRAM)
def test_an_unknown_key_is_refused_by_name(spec):
    with pytest.raises(SpecRefused, match="has no key 'plugin'; it has"):
        type(spec).read({**spec.to_dict(), "plugin": "seeker"})


@pytest.mark.parametrize("spec", WHOLE, ids=lambda spec: spec.PROGRAM)
def test_a_missing_key_is_refused_by_name(spec):
    plain = spec.to_dict()
    first = next(name for name in plain if name != "media")
    del plain[first]

    with pytest.raises(SpecRefused, match=f"needs {first}"):
        type(spec).read(plain)


def test_an_unknown_limit_on_media_is_refused_by_name():
    plain = ProbeSpec("/in").to_dict()
    plain["media"]["max_side"] = 100

    with pytest.raises(SpecRefused, match="MediaLimits has no key 'max_side'"):
        ProbeSpec.read(plain)


def test_the_default_limits_on_media_are_the_contracts():
    limits = MediaLimits()

    assert (limits.max_side_px, limits.max_image_pixels, limits.max_frames) == (8192, 50_000_000, None)


def test_specs_need_no_model_of_a_record():
    program = (
        "import sys, forgesyte_sandbox.shared.specs\n"
        "print(sorted({'pydantic', 'forgesyte_contracts.jobs'} & set(sys.modules)))"
    )

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"
