"""Every minute: finds what no event will ever tell, mends what is safe to mend, and calls a person for the rest."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from commerce.adapters import wiring
from commerce.adapters.invocation import correlated
from commerce.adapters.log import logger
from commerce.clock import now
from commerce.inventory.pooling import tend_all
from commerce.reconciliation.model import Finding
from commerce.reconciliation.service import EVERY_MINUTE, EVERYWHERE, Rounds, reconcile

ASK_EVERY = 5
"""Minutes between two looks at the payment provider's lists."""
LIMIT = 200
"""Things that a look of one run finds; what is left is found by the next one."""

stores = wiring.stores()
leftovers = wiring.leftovers()
workflow = wiring.workflow()
wiring.at_start(wiring.stripe)


@correlated
def handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Two runs at once mend each thing once. Answers how many things were mended, left, and how many pools tended."""
    moment = now()
    pools = tend_all(wiring.inventory(), now=moment)
    looks = EVERY_MINUTE if moment.minute % ASK_EVERY else EVERYWHERE
    rounds = Rounds(stores, wiring.orders(), leftovers, workflow, wiring.payment_gateway(), wiring.carrier)
    counts = {"Mended": 0, "Left": 0}
    for finding in reconcile(rounds, looks, limit=LIMIT, now=moment):
        counts["Mended" if finding.mended else "Left"] += 1
        _log(finding)
    for name, count in counts.items():
        if count:
            _count(f"Findings{name}", count)
    return {"mended": counts["Mended"], "left": counts["Left"], "pools": pools}


def _log(finding: Finding) -> None:
    say = logger().info if finding.mended else logger().warning
    say("finding", **finding.model_dump(exclude_none=True))


def _count(name: str, value: int) -> None:
    """The alarms' metrics; a run that finds nothing writes none."""
    with single_metric(name=name, unit=MetricUnit.Count, value=value) as metric:
        metric.add_dimension("service", "reconcile")
