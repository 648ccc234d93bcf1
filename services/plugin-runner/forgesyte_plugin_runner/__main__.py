"""`python -m forgesyte_plugin_runner`: one runner as its own process."""

import sys

from forgesyte_chassis.main import Lifetime, run_service

from .app import serve
from .settings import RunnerSettings


def main() -> int:
    """Run until a signal; return the exit code."""
    settings = RunnerSettings()

    async def run(lifetime: Lifetime) -> None:
        await serve(lifetime, settings)

    return run_service(run, name="plugin-runner", settings=settings)


if __name__ == "__main__":
    sys.exit(main())
