"""What dashboards are made of: every panel has a unit, thresholds, a description and a way on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from grafana_foundation_sdk.builders import common, dashboard, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from boards.sections import link_to

TAG: Final = "claimstream"
# What topic, group and instance are chosen by.
_CONSUMERS: Final = "claimstream_consumer_info"
_WORKERS: Final = 'instance=~"$instance"'
_SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
_GRID: Final = 24

# A query's expression, and what its series are called.
Query = tuple[str, str]
Steps = tuple[tuple[float | None, str], ...]
Panel = Any  # a builder of any kind of panel
Row = tuple[str, Sequence[Panel]]

NO_BOUND: Final[Steps] = ((None, "green"),)


def now(metric: str, more: str = "") -> str:
    """A metric of the workers chosen; ``more`` are further matchers of labels."""
    return f"{metric}{{{', '.join(filter(None, (_WORKERS, more)))}}}"


def per_second(metric: str, more: str = "") -> str:
    """How much a counter of the workers chosen grows a second."""
    return f"rate({now(metric, more)}[$__rate_interval])"


def grown(metric: str, more: str = "") -> str:
    """How much a counter of the workers chosen grew in the time shown."""
    return f"increase({now(metric, more)}[$__range])"


def quantile(share: float, histogram: str, *by: str) -> str:
    """Under which value so large a share of a histogram lies, for each value of other labels."""
    buckets = per_second(f"{histogram}_bucket")
    return f"histogram_quantile({share:g}, sum by ({', '.join(('le', *by))}) ({buckets}))"


class About(NamedTuple):
    """What every panel says: title, what it shows, its unit, and its section of the runbook."""

    title: str
    description: str
    unit: str
    section: str


def over(*bounds: float) -> Steps:
    """Thresholds of what should be low: red from the last bound on, orange from the one before."""
    colours = ("orange", "red")[-len(bounds) :]
    return ((None, "green"), *zip(bounds, colours, strict=True))


def under(bound: float) -> Steps:
    """Thresholds of what should be high: red below the bound."""
    return ((None, "red"), (bound, "green"))


def graph(
    about: About,
    *queries: Query,
    steps: Steps = NO_BOUND,
    is_stacked: bool = False,
    width: int = 8,
) -> Panel:
    """Curves over time; thresholds with a bound show as dashed lines."""
    has_bound = len(steps) > 1
    panel = (
        _filled(timeseries.Panel(), about, queries, steps)
        .min(0)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
        )
        .tooltip(
            common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
        )
        .thresholds_style(
            common.GraphThresholdsStyleConfig().mode(
                GraphThresholdsStyleMode.DASHED if has_bound else GraphThresholdsStyleMode.OFF
            )
        )
        .height(8)
        .span(width)
    )
    if is_stacked:
        panel.fill_opacity(40).stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    return panel


def number(about: About, query: Query, *, steps: Steps = NO_BOUND, width: int = 4) -> Panel:
    """The last value, in the colour that the thresholds give it."""
    return (
        _filled(stat.Panel(), about, [query], steps)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.AREA)
        .height(4)
        .span(width)
    )


def distribution(about: About, expression: str, *, steps: Steps, width: int = 12) -> Panel:
    """A histogram over time; ``steps`` bound the unit of the histogram's axis."""
    panel = _filled(heatmap.Panel(), about, [], steps)
    target = _target("A", (expression, "{{le}}")).format(PromQueryFormat.HEATMAP)
    axis = heatmap.YAxisConfig().unit(about.unit)
    return panel.with_target(target).calculate(calculate=False).y_axis(axis).height(8).span(width)


def board(name: str, title: str, description: str, rows: Sequence[Row]) -> dashboard.Dashboard:
    """A dashboard of rows of panels, with the choice of topic, group and instance."""
    built = (
        bare(name, title, description)
        .refresh("10s")
        .time("now-1h", "now")
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
        )
    )
    chosen = ""
    for label in ("topic", "group", "instance"):
        built.with_variable(_choice(label, f"label_values({_CONSUMERS}{{{chosen}}}, {label})"))
        chosen += f'{", " if chosen else ""}{label}=~"${label}"'
    number_ = 0
    for row, panels in rows:
        built.with_row(dashboard.Row(row))
        for panel in panels:
            number_ += 1
            built.with_panel(panel.id(number_))
    return built


def bare(name: str, title: str, description: str) -> dashboard.Dashboard:
    """A dashboard without panels, that cannot be edited, and links to the others."""
    return (
        dashboard.Dashboard(f"claimstream: {title}")
        .uid(f"claimstream-{name}")
        .description(description)
        .tags([TAG])
        .timezone("utc")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(
            dashboard.DashboardLink("claimstream")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .include_vars(include_vars=True)
            .keep_time(keep_time=True)
        )
    )


def _filled(panel: Panel, about: About, queries: Sequence[Query], steps: Steps) -> Panel:
    filled = (
        panel.title(about.title)
        .description(about.description)
        .datasource(_SOURCE)
        .unit(about.unit)
        .thresholds(
            dashboard.ThresholdsConfig()
            .mode(ThresholdsMode.ABSOLUTE)
            .steps([Threshold(value=bound, color=colour) for bound, colour in steps])
        )
        .links([link_to(about.section)])
    )
    for letter, query in zip("ABCDEF", queries, strict=False):
        filled.with_target(_target(letter, query))
    return filled


def _target(letter: str, query: Query) -> prometheus.Dataquery:
    expression, legend = query
    return (
        prometheus.Dataquery()
        .expr(expression)
        .legend_format(legend)
        .datasource(_SOURCE)
        .range()
        .ref_id(letter)
    )


def _choice(label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(label)
        .label(label.capitalize())
        .datasource(_SOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .current(VariableOption(selected=True, text="All", value="$__all"))
    )
