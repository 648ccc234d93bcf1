"""Long runs have two forms: at most two minutes each for `.ci/run`, and whole for `make soak`."""

import os

IS_SOAK = os.environ.get("FORGESYTE_SOAK") == "1"
