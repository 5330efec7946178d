"""Makes base/prometheusrule.yaml out of the rule files of Prometheus, comments and all.

``python deploy/kubernetes/prometheus_rule.py``, after a change of deploy/prometheus/rules.
"""
# ruff: noqa: INP001 - a script beside the file that it makes

from __future__ import annotations

from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
FILE: Final = _HERE / "base" / "prometheusrule.yaml"
RULES: Final = _HERE.parent / "prometheus" / "rules"

_HEAD: Final = """\
# Made by prometheus_rule.py out of deploy/prometheus/rules; do not edit.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: claimstream
  labels:
    app.kubernetes.io/name: claimstream
spec:
  groups:
"""


def prometheus_rule() -> str:
    """The whole resource: each file's groups, indented to where the resource has them."""
    parts = [_HEAD]
    for file in sorted(RULES.glob("*.yml")):
        lines = file.read_text(encoding="utf-8").splitlines()
        start = lines.index("groups:")
        parts += [f"  {line}".rstrip() + "\n" for line in (*lines[:start], *lines[start + 1 :])]
    return "".join(parts)


if __name__ == "__main__":
    FILE.write_text(prometheus_rule(), encoding="utf-8")
