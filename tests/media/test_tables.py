"""Tables beyond any use are refused by the probe, before the demuxer sees them, with what was found and the limit."""

import shutil
from contextlib import closing

import pytest

from forgesyte_sandbox.child.media.headers import tables
from forgesyte_sandbox.child.media.headers.read_tables import read_tables
from forgesyte_sandbox.child.media.sparse_file import SparseFile
from forgesyte_sandbox.parent.order import Order
from forgesyte_sandbox.shared.limits import Limits
from forgesyte_sandbox.shared.specs import JobSpec, ProbeSpec

from .making import clip
from .poison import AT_THE_LIMIT, POISON, many_edits

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the files are made by the ffmpeg program")


@pytest.mark.parametrize(
    ("limit", "make", "says"), [pytest.param(*poison, id=f"{poison[0]} {name}") for name, poison in POISON.items()]
)
async def test_a_table_beyond_its_limit_is_refused_by_probe_and_job(zygote, tmp_path, limit, make, says):
    path = make(tmp_path)

    probe = await zygote.run(Order(ProbeSpec(str(path)), limits=Limits()))
    job = await zygote.run(
        Order(JobSpec("media_truth:MediaTruth", ["read-truth"], str(path), "job-1"), limits=Limits())
    )

    assert (probe.kind, probe.code) == ("failed", "MEDIA_TOO_LARGE"), probe
    assert (job.kind, job.code, job.error) == ("failed", probe.code, probe.error)
    assert says in probe.error
    assert str(getattr(tables, limit)) in probe.error


@pytest.mark.parametrize("limit", AT_THE_LIMIT)
async def test_a_table_at_its_limit_is_accepted(zygote, tmp_path, limit):
    path = AT_THE_LIMIT[limit](tmp_path)

    probe = await zygote.run(Order(ProbeSpec(str(path)), limits=Limits()))

    assert probe.ok, probe.error


def test_each_limit_on_tables_has_a_file_that_exceeds_it():
    limits = {name for name in vars(tables) if name.startswith("MAX_")}

    assert {limit for limit, _, _ in POISON.values()} == limits - {"MAX_EDITED_SAMPLES", "MAX_STEPS"}


def test_max_edited_samples_counts_frames_that_are_shown_twice():
    found = tables.Tables({"frames shown by an edit list": tables.MAX_EDITED_SAMPLES + 1})

    assert str(tables.MAX_EDITED_SAMPLES) in (found.excess() or "")


def test_max_edited_samples_is_reached_by_few_edits_over_a_long_track(tmp_path):
    with closing(SparseFile(many_edits(100)(tmp_path))) as file:
        found = read_tables(file)

    assert found.counts["frames shown by an edit list"] == 100 * 20


def test_max_steps_ends_the_walk_and_leaves_what_was_found(tmp_path):
    path = clip(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes() + b"\0\0\0\x08free" * (tables.MAX_STEPS + 1))

    with closing(SparseFile(path)) as file:
        assert read_tables(file).counts["tracks"] == 1
