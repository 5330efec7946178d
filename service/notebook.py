"""Shows a labelled article in a notebook: a piece of HTML that needs nothing from elsewhere.

All of an article is escaped by the template engine, and goes through `harmless` first. Styles
stand at each element, because notebooks strip style sheets; the paper is drawn along, so that the
colours hold on a dark page too. Labels are told by a letter and a line, not by colour alone.
"""

from __future__ import annotations

from typing import Final

from jinja2 import Environment, StrictUndefined

from service.contracts import LABELS, LabelledArticle
from service.viewer.filtering import Wanted
from service.viewer.marking import SENTENCES_A_PAGE, Labelled, harmless, paragraphs
from service.viewer.pages import LETTERS, NAMES, name_of, percent
from service.viewer.store import Held

# As in the viewer's style sheet, on its light paper.
_LOOKS: Final = {
    "fact": ("#1b73b3", "solid"),
    "attributed_claim": ("#b05500", "dashed"),
    "opinion": ("#66134a", "wavy"),
}
_ROLES: Final = {"": "", "source": "font-weight:700", "cue": "font-style:italic"}
_QUIET: Final = "color:#5d5f68"

# White space between the tags would be shown, so there is none.
_PAGE: Final = """\
<div style="background:#fcfbf8;color:#1d1f23;padding:1em 1.25em;max-width:46em;line-height:1.6;\
font-family:Georgia,serif;overflow-wrap:anywhere">
<p style="font-weight:700;margin:0">{{ title }}</p>
<p style="font-size:85%;margin:0 0 .75em">
{%- for label in LABELS -%}
<span style="color:{{ LOOKS[label][0] }}"><b>{{ LETTERS[label] }}</b> {{ NAMES[label] }}: \
{{ article.counts | attr(label) }}</span> · {% endfor -%}
<span style="{{ QUIET }}"><b style="{{ ROLES.source }}">source</b>, \
<i style="{{ ROLES.cue }}">cue</i>, ? uncertain</span></p>
{% for paragraph in paragraphs %}
<p style="margin:.5em 0">
{%- for part in paragraph -%}
{%- if part.pieces is defined -%}
{%- set sentence = part.sentence -%}
{%- set colour, line = LOOKS[sentence.label] -%}
<span title="{{ told(part) }}"><sup style="color:{{ colour }};font-weight:700">\
{{ LETTERS[sentence.label] }}{{ "?" if sentence.uncertain }}</sup>\
<span style="text-decoration:underline {{ line }} {{ colour }};text-underline-offset:.25em">
{%- for piece in part.pieces -%}
{%- if piece.role -%}<span style="{{ ROLES[piece.role] }}">{{ piece.text }}</span>
{%- else -%}{{ piece.text }}{%- endif -%}
{%- endfor -%}
</span>
{%- if part.nearby %} <small style="{{ QUIET }}">‹{{ part.nearby.text }}, named nearby›</small>\
{%- endif -%}
</span>
{%- elif part.length is defined -%}
<span style="{{ QUIET }}" title="furniture">{{ part.text }}</span>
{%- else -%}{{ part.text }}
{%- endif -%}
{%- endfor -%}
</p>
{% endfor %}
{% if more %}<p style="{{ QUIET }}">… and {{ more }} more sentences</p>{% endif %}
</div>"""


def to_html(article: LabelledArticle, text: str) -> str:
    """Write an article, its first few hundred sentences at most.

    Args:
        article: the labelled article.
        text: the text that its offsets point into.
    """
    everything = range(len(article.sentences))
    return _template.render(
        article=article,
        title=name_of(article),
        paragraphs=paragraphs(Held(article, 0, text=text), Wanted(), everything),
        more=max(0, len(article.sentences) - SENTENCES_A_PAGE),
    )


def _told(part: Labelled) -> str:
    """What is said of a sentence when it is pointed at."""
    sentence = part.sentence
    words = [f"{NAMES[sentence.label]}, {percent(sentence.confidence)} sure"]
    if sentence.uncertain:
        words.append("uncertain")
    if sentence.label == "attributed_claim":
        words.append(f"source: {sentence.source.text if sentence.source else 'none named'}")
        if sentence.cue:
            words.append(f"cue: {sentence.cue.text}")
    return "; ".join(words)


_environment: Final = Environment(
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=lambda value: harmless(value) if type(value) is str else value,
)
_environment.globals |= {
    "LABELS": LABELS,
    "LETTERS": LETTERS,
    "NAMES": NAMES,
    "LOOKS": _LOOKS,
    "ROLES": _ROLES,
    "QUIET": _QUIET,
    "told": _told,
}
_template: Final = _environment.from_string(_PAGE)
