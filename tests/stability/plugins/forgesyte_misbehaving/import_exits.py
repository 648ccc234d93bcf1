"""A module that ends the interpreter when it is imported, as scripts without a main guard do."""

import sys

sys.exit("usage: detect.py VIDEO")
