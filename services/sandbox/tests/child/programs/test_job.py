"""The job program on clips with a known truth."""

import orjson
import pytest

from forgesyte_contracts.problems import Code
from forgesyte_sandbox.shared import messages
from forgesyte_sandbox.shared.limits import MIB, Limits
from tests.support import brightness_of


async def test_a_job_gives_a_row_for_every_frame_in_order(bench):
    told = await bench.job()

    assert told.outcome.ok, told.outcome
    assert [row["frame_index"] for row in told.rows] == list(range(12))
    assert [row["timestamp_ms"] for row in told.rows] == [index * 40.0 for index in range(12)]
    assert [row["detections"]["mean"] for row in told.rows] == pytest.approx(
        [brightness_of(i) for i in range(12)], abs=6
    )
    assert set(told.rows[0]) == {"frame_index", "timestamp_ms", "detections"}


SD = "bt601 (assumed: no colour tags, 160 x 120)"


async def test_the_end_of_a_job_says_what_was_decoded(bench):
    told = await bench.job()

    assert told.outcome.result == {
        "frames_decoded": 12, "frames_corrupt": 0, "frames_skipped": 0, "rows": 12, "total_frames": 12,
        "codec": "h264", "fps": 25.0, "fps_nominal": 25.0, "rotation": 0, "width": 160, "height": 120,
        "clock": "pts", "video_stream": 0, "color": SD, "pixel_aspect": "1:1", "as_stated": True,
    }  # fmt: skip
    assert told.outcome.kind == "succeeded"
    assert told.outcome.as_dict()["ok"] is True
    assert told.of(messages.Started) == [messages.Started("h264", 160, 120, 25.0, 0, 12, 12, "pts", 0, SD, "1:1")]
    assert isinstance(told.said[-1], messages.Finished)


async def test_the_end_of_an_image_s_job_says_that_it_is_as_stated(bench, picture_file):
    told = await bench.job(input=str(picture_file), kind="image")

    assert (told.outcome.result["frames_decoded"], told.outcome.result["as_stated"]) == (1, True)


async def test_rows_carry_the_counts_of_typed_outputs(bench):
    told = await bench.job()

    first, last = told.of(messages.Row)[0], told.of(messages.Row)[-1]
    assert (first.detections, first.classes) == (1, {"dark": 1})
    assert (last.detections, last.classes) == (1, {"bright": 1})


@pytest.mark.parametrize(
    ("count", "classes"),
    [
        pytest.param(-1, {}, id="below zero"),
        pytest.param(10**9 + 1, {}, id="too many"),
        pytest.param(2**4000, {}, id="not even a float"),
        pytest.param(1, {"x": -1}, id="a class below zero"),
        pytest.param(1, {str(number): 1 for number in range(1001)}, id="too many classes"),
        pytest.param(1, {"x" * 10_000: 1}, id="too long a name"),
    ],
)
def test_counts_that_no_summary_could_hold_are_refused(count, classes):
    from forgesyte_sandbox.child.programs.rows import require_sane_counts
    from forgesyte_sandbox.child.refusal import Refusal

    with pytest.raises(Refusal, match="frame 7") as refused:
        require_sane_counts(count, classes, 7)

    assert (refused.value.code, refused.value.error_type) == (Code.PLUGIN_ERROR, "CountsRefused")


async def test_several_tools_share_one_decode_and_one_row(bench):
    told = await bench.job(tools=("measure", "count"))

    assert told.outcome.result["frames_decoded"] == 12
    assert set(told.rows[3]) == {"frame_index", "timestamp_ms", "measure", "count"}
    assert told.rows[3]["count"] == {"index": 3}


async def test_timings_name_each_tool_and_every_stage_of_the_child(bench):
    told = await bench.job(tools=("measure", "count"))

    timings = told.of(messages.Timings)[-1]
    assert set(timings.process) == {"measure", "count"}
    assert set(timings.stages) == {"decode", "process", "encode"}
    assert timings.stages["decode"] > 0
    assert timings.stages["encode"] > 0


@pytest.mark.parametrize("fault", ["raise", "segfault"])
async def test_a_job_that_ends_early_has_sent_its_timings(bench, fault):
    told = await bench.job("Faulty", ("misbehave",), options={"misbehave": {"fault": fault}})

    assert not told.outcome.ok
    assert told.of(messages.Timings)[0].process.keys() == {"misbehave"}


async def test_prepare_and_finalize_are_called_in_the_scratch_folder(bench):
    left = bench.left()
    await bench.job(left=left)

    assert (left / "prepared").read_text() == "job-1 160x120 cpu True"
    assert (left / "finalized").exists()


async def test_a_skipped_frame_is_decoded_but_not_processed(bench):
    told = await bench.job("Faulty", ("misbehave",), options={"misbehave": {"fault": "segfault"}}, skip_frames=[2])

    assert told.outcome.ok
    assert [row["frame_index"] for row in told.rows] == [0, 1, *range(3, 12)]
    assert told.of(messages.Warning) == []  # the record has the warning, once for all attempts
    assert (told.outcome.result["frames_skipped"], told.outcome.result["rows"]) == (1, 11)


async def test_an_alias_finds_its_tool(bench):
    told = await bench.job(tools=("measure-old",))

    assert told.outcome.ok


async def test_an_unknown_tool_is_refused_with_the_tools_there_are(bench):
    told = await bench.job(tools=("paint",))

    assert (told.outcome.kind, told.outcome.code) == ("failed", Code.TOOL_UNKNOWN)
    assert "measure, count" in told.outcome.error


async def test_wrong_options_name_the_field(bench):
    told = await bench.job(options={"measure": {"channel": "red"}})

    assert (told.outcome.kind, told.outcome.code) == ("failed", Code.OPTIONS_INVALID)
    assert told.outcome.error.startswith("options.measure.channel: ")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        pytest.param(b"", "the file is empty (0 bytes)", id="empty"),
        pytest.param(b"hello, I am text\n" * 50, "is a text file, not a video", id="text"),
        pytest.param(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "is an HLS or M3U playlist", id="playlist"),
        pytest.param(b"ffconcat version 1.0\nfile plain.mp4\n", "is a concat script", id="concat script"),
    ],
)
async def test_what_is_no_video_is_refused_with_what_is_accepted(bench, tmp_path, content, found):
    path = tmp_path / "input.mp4"
    path.write_bytes(content)

    told = await bench.job(input=str(path))

    assert (told.outcome.kind, told.outcome.code) == ("failed", Code.MEDIA_INVALID)
    assert found in told.outcome.error
    assert "expected a video" in told.outcome.error


async def test_a_plugin_that_lacks_something_at_load_is_unavailable(bench):
    told = await bench.job("LacksAtLoad")

    assert (told.outcome.kind, told.outcome.code) == ("failed", Code.PLUGIN_UNAVAILABLE)
    assert told.outcome.error == "no GPU: CUDA was not found"


async def test_what_load_raises_fails_the_job(bench):
    told = await bench.job("FailsToLoad")

    assert (told.outcome.error_type, told.outcome.error) == ("RuntimeError", "cannot load on cpu")
    assert told.outcome.frame is None


async def test_only_what_goes_wrong_in_load_leaves_the_start_unknown(bench):
    failed = await bench.job("FailsToLoad")
    unread = await bench.job("Picky", ("pick",), options={"pick": {"colour": "purple"}})
    unmade = await bench.job("Picky", ("pick",), options={"pick": {"colour": "blue"}})
    refused = await bench.job("Picky", ("pick",), options={"pick": {"colour": 7}})

    assert failed.outcome.start_ms is None
    assert [(told.outcome.error_type, told.outcome.error) for told in (unread, unmade)] == [
        ("KeyError", "'purple'"), ("RuntimeError", "blue is for other videos"),
    ]  # fmt: skip
    assert refused.outcome.code is Code.OPTIONS_INVALID
    assert all(told.outcome.start_ms > 0 for told in (unread, unmade, refused))


async def test_nan_becomes_null_with_a_warning(bench):
    told = await bench.fault("nan")

    assert told.outcome.ok
    assert told.rows[2]["detections"] == {"value": [None, 1.5, None]}
    assert [warning.frame_index for warning in told.of(messages.Warning)] == [2, 2]


@pytest.mark.parametrize("fault", ["bytes", "recursive"])
async def test_output_without_a_json_form_fails_the_job_at_its_frame(bench, fault):
    told = await bench.fault(fault)

    assert (told.outcome.kind, told.outcome.code, told.outcome.frame) == ("failed", Code.PLUGIN_ERROR, 2)
    assert len(told.rows) == 2


async def test_a_row_over_its_limit_is_refused_with_both_numbers(bench):
    told = await bench.fault("large-row")

    assert (told.outcome.kind, told.outcome.error_type) == ("failed", "OutputTooLarge")
    assert str(MIB) in told.outcome.error
    assert str(2 * MIB)[:4] in told.outcome.error


async def test_a_result_of_200_mb_is_contained(bench):
    told = await bench.fault("huge-row")

    assert (told.outcome.kind, told.outcome.error_type) == ("failed", "OutputTooLarge")
    assert len(told.rows) == 2


async def test_what_the_caller_raises_comes_back_unwrapped_and_ends_the_run(bench, survivors):
    def refuse(message):
        if isinstance(message, messages.Row):
            raise LookupError("I am not the owner any more")

    with pytest.raises(LookupError, match="not the owner"):
        await bench.job(on_message=refuse)

    assert survivors(bench.homes) == []


async def test_row_bytes_are_json_without_line_feeds(bench):
    told = await bench.job(limits=Limits(output_bytes=4096))

    for row in told.of(messages.Row):
        assert b"\n" not in row.data
        assert orjson.loads(row.data)["frame_index"] == row.frame_index
