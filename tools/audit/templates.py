"""Synthesises the environment that earns money with cdk-nag's packs: `python -m tools.audit.templates FOLDER`.

The templates and cdk-nag's `validation-report.json` go to the folder. A process of its own, because cdk-nag ends a
synthesis that it finds fault with by an exception.
"""

import json
import sys
from pathlib import Path

import cdk_nag
from aws_cdk import App, Validations

from stacks.assembly import build
from stacks.config import load
from stacks.functions import LAYERS
from stacks.shop import ROOT, Endpoints

ENVIRONMENT = "prod"
REPORT = "validation-report.json"
PACKS = (
    cdk_nag.AwsSolutionsChecks,
    cdk_nag.ServerlessChecks,
    cdk_nag.NIST80053R5Checks,
    cdk_nag.PCIDSS321Checks,
    cdk_nag.HIPAASecurityChecks,
)


def main() -> None:
    """Exit code 0 where there is a report, whatever it says."""
    folder = Path(sys.argv[1])
    # What a layer holds is not looked at, so none has to be built.
    packages = folder / "packages"
    for layer in LAYERS:
        (packages / layer).mkdir(parents=True)
    context = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    app = App(outdir=str(folder / "templates"), context=context, analytics_reporting=False)
    document = ROOT / "docs" / "openapi.json"
    build(app, load(ENVIRONMENT), endpoints=Endpoints(), packages=packages, document=document)
    Validations.of(app).add_plugins(*(pack(app) for pack in PACKS))
    try:
        app.synth()
    except RuntimeError as error:
        if "validation-report.json" not in str(error):
            raise


if __name__ == "__main__":
    main()
