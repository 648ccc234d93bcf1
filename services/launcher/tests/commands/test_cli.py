import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from forgesyte_chassis.settings import env_name
from forgesyte_job_api.settings import JobApiSettings
from tests.support import PLAIN_TERMINAL, run_forked, start_forked

COMMANDS = [
    ("up",),
    ("run",),
    ("jobs",),
    ("jobs", "list"),
    ("jobs", "show"),
    ("jobs", "watch"),
    ("jobs", "fetch"),
    ("jobs", "cancel"),
    ("jobs", "retry"),
    ("plugins",),
    ("plugins", "list"),
    ("plugins", "show"),
    ("plugins", "reload"),
    ("plugins", "audit"),
    ("doctor",),
    ("openapi",),
    ("asyncapi",),
    ("demo",),
]
HEAVY = ("av", "cv2", "numpy", "torch", "forgesyte_sdk", "forgesyte_motion_detector")
JOB = "01920000-0000-7000-8000-000000000000"


def forgesyte(*arguments: object, cwd=None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, with wide output and no terminal."""
    return run_forked("forgesyte_launcher", *map(str, arguments), cwd=cwd, env={**os.environ, **PLAIN_TERMINAL, **env})


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(command):
    answer = forgesyte(*command, "--help")

    assert answer.returncode == 0, answer.stderr
    assert f"Example: forgesyte {' '.join(command)}" in answer.stdout


@pytest.mark.slow
def test_the_help_names_the_variable_from_which_keys_are_read():
    assert env_name(JobApiSettings, "api_keys") in forgesyte("up", "--help").stdout


def test_the_version_is_printed():
    answer = forgesyte("--version")

    assert answer.returncode == 0
    assert answer.stdout.startswith("forgesyte 0.")


@pytest.mark.parametrize(
    "command", [("openapi",), ("asyncapi",), ("plugins", "list", "--json"), ("--version",)], ids=" ".join
)
def test_an_answer_that_cannot_be_written_is_said_in_a_sentence(tmp_path, command):
    said = tmp_path / "said"
    with Path("/dev/full").open("wb") as full, said.open("wb") as errors:
        code = start_forked("forgesyte_launcher", *command, env=dict(os.environ), output=full, errors=errors).wait(60)

    assert code == 1
    sentence = "error: the answer cannot be written to standard output: No space left on device."
    assert said.read_text().splitlines()[-1] == sentence
    assert "Traceback" not in said.read_text()


def test_a_line_about_the_way_that_cannot_be_written_ends_nothing(tmp_path):
    answer = tmp_path / "answer"
    with Path("/dev/full").open("wb") as full, answer.open("wb") as output:
        command = ("plugins", "list")  # which says on stderr whose plugins they are
        code = start_forked("forgesyte_launcher", *command, env=dict(os.environ), output=output, errors=full).wait(60)

    assert code == 0
    assert "motion-detector" in answer.read_text()


@pytest.mark.slow
def test_the_command_never_imports_media_libraries_or_plugins():
    code = (
        "import sys, pkgutil, importlib, forgesyte_launcher\n"
        "for m in pkgutil.walk_packages(forgesyte_launcher.__path__, 'forgesyte_launcher.'):\n"
        "    m.name.endswith('__main__') or importlib.import_module(m.name)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert answer.stdout.strip() == "[]", answer.stderr


def test_a_missing_video_is_a_usage_error(tmp_path):
    answer = forgesyte("run", tmp_path / "none.mp4", "--plugin", "motion-detector", "--tool", "detect-motion")

    assert answer.returncode == 2
    assert "none.mp4" in answer.stderr
    assert "does not exist" in answer.stderr


def test_an_unknown_plugin_is_a_usage_error_that_names_the_installed_ones(tmp_path):
    video = tmp_path / "a.mp4"
    video.write_bytes(b"x")

    answer = forgesyte("run", video, "--plugin", "no-such", "--tool", "detect-motion", cwd=tmp_path)

    assert answer.returncode == 2
    assert "there is no plugin 'no-such' here; installed: motion-detector" in answer.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(
    ("options", "said"),
    [("{", "not valid JSON"), ("[1]", "not an array"), ("null", "not null"), ('{"a": NaN}', "NaN is not JSON")],
)
def test_options_other_than_a_json_object_are_a_usage_error_in_the_words_of_json(tmp_path, options, said):
    video = tmp_path / "a.mp4"
    video.write_bytes(b"x")

    answer = forgesyte("run", video, "--plugin", "motion-detector", "--tool", "x", "--options", options, cwd=tmp_path)

    assert answer.returncode == 2
    assert "--options" in answer.stderr
    assert said in answer.stderr


@pytest.mark.parametrize(
    "command", [("jobs", "list"), ("jobs", "watch", JOB), ("jobs", "fetch", JOB), ("plugins", "list")], ids=" ".join
)
def test_ctrl_c_ends_a_command_whose_server_does_not_answer(tmp_path, command):
    with socket.create_server(("127.0.0.1", 0)) as listener, (tmp_path / "said").open("wb") as output:
        listener.settimeout(60)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = start_forked("forgesyte_launcher", *command, "--server", url, env=dict(os.environ), output=output)
        with listener.accept()[0] as connection:
            connection.recv(1)
            process.send_signal(signal.SIGINT)
            code = process.wait(60)

    assert code == 130


@pytest.mark.parametrize("command", [("jobs", "list"), ("plugins", "list"), ("plugins", "audit")], ids=" ".join)
def test_an_unreachable_server_is_reported_with_the_remedy(command):
    answer = forgesyte(*command, "--server", "http://127.0.0.1:1")

    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith("error: no answer from http://127.0.0.1:1")
    assert "forgesyte up" in answer.stderr


@pytest.mark.parametrize("command", ["show", "watch", "fetch", "cancel", "retry"])
def test_an_invalid_job_id_is_a_usage_error(command):
    answer = forgesyte("jobs", command, "7", "--server", "http://127.0.0.1:1")

    assert answer.returncode == 2
    assert "not a job id" in answer.stderr


def test_an_open_service_is_refused_on_any_address_but_loopback(tmp_path):
    answer = forgesyte("up", "--host", "0.0.0.0", "--port", 0, "--data-dir", tmp_path / "data")

    assert answer.returncode == 1
    assert "key" in answer.stderr
    assert "127.0.0.1" in answer.stderr
    assert not (tmp_path / "data").exists()


def test_a_port_in_use_is_reported_with_the_remedy(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        answer = forgesyte("up", "--port", port, "--data-dir", tmp_path / "data")

    assert answer.returncode == 1
    assert str(port) in answer.stderr
    assert "another port" in answer.stderr


def test_invalid_settings_are_a_usage_error():
    answer = forgesyte("jobs", "show", JOB, FORGESYTE_LAUNCHER_DRAIN_S="soon")

    assert answer.returncode == 2
    assert "drain_s" in answer.stderr


def test_invalid_keys_are_reported_without_their_value(tmp_path):
    answer = forgesyte("up", "--port", 0, "--data-dir", tmp_path / "data", FORGESYTE_JOB_API_API_KEYS="secret")

    assert answer.returncode == 2
    assert "FORGESYTE_JOB_API_" in answer.stderr
    assert "secret" not in answer.stderr


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["FORGESYTE_INSPECTOR_LOOK_EVERY_S", "FORGESYTE_GATEWAY_PING_EVERY_S"])
def test_an_invalid_setting_of_a_service_is_reported_without_its_value(tmp_path, setting):
    answer = forgesyte("up", "--port", 0, "--data-dir", tmp_path / "data", **{setting: "secret"})

    assert answer.returncode == 2
    assert setting.lower().partition("_")[2].partition("_")[2] in answer.stderr
    assert "secret" not in answer.stderr


@pytest.mark.slow
def test_installed_plugins_are_listed_with_their_tools():
    answer = forgesyte("plugins", "list", "--json")

    assert answer.returncode == 0, answer.stderr
    lines = {line["name"]: line for line in json.loads(answer.stdout)}
    assert lines["motion-detector"]["state"] == "INITIALIZED"
    assert "detect-motion" in lines["motion-detector"]["tools"]
    assert answer.stderr.startswith("plugins installed here")


@pytest.mark.slow
def test_doctor_finds_nothing_wrong_with_this_machine(tmp_path):
    answer = forgesyte("doctor", "--json", "--data-dir", tmp_path / "data")

    findings = json.loads(answer.stdout)
    assert answer.returncode == 0, [finding for finding in findings if finding["verdict"] == "fail"]
    names = {finding["name"] for finding in findings}
    assert {"python", "av", "opencv", "embedded nats-server", "pdeathsig", "rlimit_data", "free space"} <= names
    assert not (tmp_path / "data").exists()


@pytest.mark.slow
def test_doctor_fails_when_the_data_folder_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")

    answer = forgesyte("doctor", "--data-dir", tmp_path / "file" / "data")

    assert answer.returncode == 1
    assert "-> " in answer.stdout


@pytest.mark.parametrize("command", [("run", "--plugin", "motion-detector", "--tool", "x"), ("demo", "--video")])
def test_unwritable_results_are_a_usage_error(tmp_path, command):
    video = tmp_path / "a.mp4"
    video.write_bytes(b"x")

    answer = forgesyte(*command, video, "--out", video / "out")

    assert answer.returncode == 2
    assert "--out" in answer.stderr
    assert "Traceback" not in answer.stderr
