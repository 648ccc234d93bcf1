"""Each kind of file through the product: submit, the record, jsonl, csv and the annotated mp4, in one table."""

import csv
import io
import shutil

import av
import pytest

from forgesyte_sandbox.child.media.facts.clock import USUAL_FPS
from tests.support import running_stack

from .cases import BESIDE, MADE, SHARED, Case
from .conftest import HERE

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the files are made by the ffmpeg program"),
]
_LASTS_MS = {"image": 1000.0}


@pytest.mark.timeout(900)
async def test_every_kind_of_file_has_the_right_value_in_every_form(tmp_path, cases_table):
    cases = [case for case in BESIDE if (SHARED / case.name).exists()] + MADE
    wrong = []
    async with running_stack(tmp_path / "data", env={"PYTHONPATH": str(HERE / "plugins")}) as stack:
        for number, case in enumerate(cases):
            folder = tmp_path / f"case-{number}"
            folder.mkdir()
            path = SHARED / case.name if case.make is None else case.make(folder)
            faults, seen = await faults_of(stack, case, path)
            wrong += [f"{case.name} ({case.kind}): {fault}" for fault in faults]
            cases_table(f"{case.name:34} {case.kind:6} {'right' if not faults else 'WRONG':6} {seen}")

    assert not wrong, "\n".join(wrong)
    assert len(cases) >= len(MADE) >= 30


async def faults_of(stack, case: Case, path) -> tuple[list[str], str]:
    query = {"plugin_id": "media-truth", "tool": "read-truth", "filename": path.name, **case.query}
    answer = await stack.http.post(
        f"/v1/{case.kind}/submit", params=query, content=path.read_bytes(),
        headers={"Content-Type": "application/octet-stream"},
    )  # fmt: skip
    if case.refused is not None:
        status, words = case.refused
        is_right = answer.status_code == status and words in answer.json().get("detail", "")
        return ([] if is_right else [answer.text]), f"{answer.status_code} {answer.json().get('detail', '')[:110]}"
    if answer.status_code != 202:
        return [answer.text], ""
    job = await stack.ended(answer.json()["job_id"])
    if job["status"] != "completed":
        return [job["error_message"]], ""
    forms = {name: await stack.http.get(f"/v1/jobs/{job['job_id']}/result?format={name}") for name in ("csv", "mp4")}
    rows = await stack.rows(job["job_id"])
    found = [row["timestamp_ms"] for row in rows]
    lines = list(csv.DictReader(io.StringIO(forms["csv"].text)))
    drawn, aspect, lasts_ms = annotated(forms["mp4"].content)
    faults = [
        *differ("times", found, case.times, 1.0),
        *differ("times in csv", [float(line["timestamp_ms"]) for line in lines], found, 0.001),
        *differ("times of the annotated video", drawn, found, 0.1),
        *warning_faults(case, job["warnings"]),
        *(f"{name} is {job['decode'][name]!r}, not {value!r}" for name, value in case.decode.items()
          if job["decode"][name] != value),
    ]  # fmt: skip
    if aspect != (job["decode"]["pixel_aspect"] or "1:1"):
        faults.append(f"pixels of the annotated video are {aspect}")
    step_ms = _LASTS_MS.get(case.kind) or 1000 / (job["decode"]["fps_nominal"] or USUAL_FPS)
    if abs(lasts_ms - found[-1] - step_ms) > 1:
        faults.append(f"the annotated video lasts {lasts_ms} ms")
    corner = rows[0]["detections"]["corners"][0]
    if case.red is not None and any(abs(it - wanted) > 8 for it, wanted in zip(corner, case.red, strict=True)):
        faults.append(f"red is {corner}")
    if job["total_frames"] != len(case.times) or job["progress"] != 100:
        faults.append(f"{job['total_frames']} frames, {job['progress']} %")
    decode = job["decode"]
    return faults, (
        f"{len(rows)} rows 0..{found[-1]:g} ms, mp4 {lasts_ms:g} ms, fps {decode['fps']}, clock {decode['clock']}, "
        f"{decode['color']}, {'; '.join(job['warnings'])[:90]}"
    )


def differ(what: str, found: list[float], wanted, tolerance: float) -> list[str]:
    is_right = len(found) == len(wanted) and all(
        abs(one - other) <= tolerance for one, other in zip(found, wanted, strict=True)
    )
    return [] if is_right else [f"{what}: {found}, not {list(wanted)}"]


def warning_faults(case: Case, warnings: list[str]) -> list[str]:
    is_right = len(warnings) == bool(case.warns) and all(case.warns in text for text in warnings)
    return [] if is_right else [f"warnings: {warnings}"]


def annotated(content: bytes) -> tuple[list[float], str, float]:
    """Return the frames' times, the shape of a pixel, and how long the video lasts."""
    with av.open(io.BytesIO(content)) as container:
        stream = container.streams.video[0]
        times = [float(frame.pts * frame.time_base * 1000) for frame in container.decode(stream)]
        aspect = stream.sample_aspect_ratio
        lasts_ms = float(stream.duration * stream.time_base * 1000)
    return [ms - times[0] for ms in times], f"{aspect.numerator}:{aspect.denominator}" if aspect else "1:1", lasts_ms
