"""What the README shows works as it is printed."""

import re
from pathlib import Path

import numpy as np

from forgesyte_sdk import Frame

README = Path(__file__).parent.parent / "README.md"


def test_the_plugin_in_the_readme_finds_the_brightest_pixel():
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    names: dict = {}
    exec(code, names)
    image = np.zeros((40, 60, 3), np.uint8)
    image[7, 11] = 255

    plugin = names["Bright"]()
    tool = names["BrightestPixel"](plugin, names["BrightestPixel"].Options())
    output = tool.process_frame(Frame(image, index=0, timestamp_ms=0.0))

    assert names["Bright"].build_manifest().tools[0].name == "brightest-pixel"
    assert output.regions[0].xyxy == (11, 7, 12, 8)


def test_every_file_the_readme_links_to_exists():
    links = re.findall(r"\]\(([^)#:]+)\)", README.read_text())

    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []


def test_what_the_readme_says_one_may_see_is_what_the_product_says():
    rows = re.findall(r"^\| `([^`]+)` \|", README.read_text(), re.MULTILINE)
    code = "\n".join(file.read_text() for file in (README.parent / "services").rglob("forgesyte_*/**/*.py"))

    # A number or a name in a sentence is a field in the code.
    for sentence in rows:
        for part in re.split(r"\.\.\.|\b\d[\d.]*\b|\bN\b", sentence):
            assert part.strip(" ()") in code, (sentence, part)
    assert len(rows) >= 5
