"""The runbook as a dashboard, so that a panel's link to its section needs no address."""

from __future__ import annotations

import re
from typing import Final

from grafana_foundation_sdk.builders import dashboard, text
from grafana_foundation_sdk.models.text import TextMode

from boards.panels import bare
from boards.sections import NAME, PATH, panel_of, sections

_TO_SECTION: Final = re.compile(r"\]\(#([\w-]+)\)")
_TO_FILE: Final = re.compile(r"\[([^\]]+)\]\((?!#)[^)]+\)")
# Rows of the grid; a long section scrolls.
_LEAST, _MOST = 4, 24
_LINES_A_ROW: Final = 1.5


def runbook() -> dashboard.Dashboard:
    """A panel of text for each section."""
    built = bare(NAME, "runbook", "What to do, by alert and by task: deploy/runbook.md.")
    for heading, body in sections().items():
        height = max(_LEAST, min(_MOST, round(len(body.splitlines()) / _LINES_A_ROW)))
        built.with_panel(
            text.Panel()
            .id(panel_of(heading))
            .title(heading)
            .description("A section of deploy/runbook.md.")
            .mode(TextMode.MARKDOWN)
            .content(_with_links(body))
            .height(height)
            .span(24)
        )
    return built


def _with_links(body: str) -> str:
    """Links to other sections lead to their panels; of those to other files the name is left."""
    headings = {heading.lower().replace(" ", "-"): heading for heading in sections()}
    body = _TO_FILE.sub(r"`\1`", body)
    return _TO_SECTION.sub(
        lambda found: f"]({PATH}?viewPanel={panel_of(headings[found[1]])})", body
    )
