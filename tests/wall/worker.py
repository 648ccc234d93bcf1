"""Runs ordinary plugins over one clip, each as a job on a zygote of each configuration, and writes down their rows.

`python -m tests.wall.worker FOLDER CLIP PLUGINS CONFIGURATION...` in a process of its own, which plays the runner.
PLUGINS are names with commas between them. FOLDER may hold the model; FOLDER/results.json gets the rows. It judges
nothing.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import orjson

from forgesyte_sandbox.parent.zygote import Zygote
from tests.wall.jobs import MODEL, PLUGINS, rules, run_job


async def configure(configuration: str, plugins: list[str], folder: Path, clip: Path) -> dict[str, Any]:
    """Run all plugins in one configuration, one after the other."""
    found = {}
    env, homes = {"PYTHONPATH": str(PLUGINS)}, folder / f"homes-{configuration}"
    async with Zygote.start(env=env, wall=rules(configuration), homes=homes) as zygote:
        for plugin in plugins:
            told = await run_job(zygote, plugin, clip, model=folder / MODEL if plugin == "nanodet" else None)
            ended = told.outcome
            assert ended is not None
            found[plugin] = {
                "rows": told.rows,
                "ended": f"{ended.kind} {ended.error or ''}".strip(),
                "log": ended.log_tail,
            }
        policy = zygote.policy.model_dump(mode="json")
    return {"plugins": found, "policy": policy}


async def main(folder: Path, clip: Path, plugins: list[str], configurations: list[str]) -> None:
    """Run all configurations, one after the other."""
    found = {each: await configure(each, plugins, folder, clip) for each in configurations}
    (folder / "results.json").write_bytes(orjson.dumps(found))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].split(","), sys.argv[4:]))
