"""All single faults and all pairs of a flow, by the names of their schedules."""

from collections.abc import Iterator

from tools.simulation.faults import FITTING

Trace = list[tuple[str, str]]
"""(boundary, category) of each call of a schedule, in order."""


def singles(flow: str, trace: Trace) -> Iterator[str]:
    """One fault each: every kind that fits at every call of the flow."""
    for number, (_, category) in enumerate(trace):
        for kind in FITTING[category]:
            yield f"{flow}/single/{number}={kind}"


def pairs(single: str, trace: Trace) -> Iterator[str]:
    """That fault and a second one, at every later call of the schedule that the first one leads to."""
    flow, _, first = single.split("/")
    number = int(first.partition("=")[0])
    for later in range(number + 1, len(trace)):
        for kind in FITTING[trace[later][1]]:
            yield f"{flow}/pair/{first},{later}={kind}"
