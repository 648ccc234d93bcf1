"""Prints the findings of `forgesyte doctor`: one line per check, its verdict, and what to do about it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from rich.text import Text

from .output import stdout

Verdict = Literal["ok", "warn", "fail"]
_STYLES: dict[Verdict, str] = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """The result of one check. `remedy` says what to do when the verdict is not ok."""

    area: str
    name: str
    verdict: Verdict
    found: str
    remedy: str = ""


def judged(area: str, name: str, fault: str | None, remedy: str, *, otherwise: Verdict = "fail") -> DoctorFinding:
    """Return the finding for something that works (`fault` is None) or does not."""
    if fault is None:
        return DoctorFinding(area, name, "ok", "works")
    return DoctorFinding(area, name, otherwise, fault, remedy)


def show_findings(findings: Sequence[DoctorFinding], *, as_json: bool) -> None:
    """Print the findings by area, each remedy below its finding."""
    console = stdout()
    if as_json:
        console.print_json(data=[asdict(finding) for finding in findings])
        return
    area = ""
    for finding in findings:
        if finding.area != area:
            area = finding.area
            console.print(Text(area, style="bold"))
        line = Text("  ")
        line.append(f"{finding.verdict:<5}", style=_STYLES[finding.verdict])
        line.append(f"{finding.name}: {finding.found}")
        console.print(line, highlight=False)
        if finding.remedy and finding.verdict != "ok":
            console.print(Text(f"       -> {finding.remedy}"), highlight=False)
