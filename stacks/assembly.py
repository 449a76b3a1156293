"""All stacks of one environment, in the order in which they build on each other."""

from pathlib import Path

from aws_cdk import App, Aspects

from stacks.api import ApiStack
from stacks.config import Config
from stacks.constructs.alarm import TellOperators
from stacks.data import DataStack
from stacks.edge import EdgeStack
from stacks.events import EventsStack
from stacks.firewall import FirewallStack
from stacks.identity import IdentityStack
from stacks.insights import InsightsStack
from stacks.keys import KeysStack
from stacks.local import LeaveOutWhatIsUnknown
from stacks.operations import OperationsStack
from stacks.shop import Endpoints, Shop
from stacks.workflow import WorkflowStack


def build(app: App, config: Config, *, endpoints: Endpoints, packages: Path, document: Path) -> None:
    """Adds the shop's stacks to `app`. `document` is the OpenAPI file, `packages` a folder with the layers."""
    key = KeysStack(app, config).key if config.encryption == "customer" else None
    operations = OperationsStack(app, config, key=key)
    data = DataStack(app, config, key=key)
    identity = IdentityStack(app, config)
    if config.caller_limit and not config.local:
        FirewallStack(app, config, limit=config.caller_limit)
    edge = EdgeStack(app, config, access_logs=data.access_logs, key=key)
    shop = Shop(
        config=config,
        key=key,
        url=edge.url,
        tables=data.tables,
        secrets=data.secrets,
        user_pool_id=identity.pool.user_pool_id,
        user_pool_arn=identity.pool.user_pool_arn,
        user_pool_issuer=identity.issuer,
        user_pool_client_id=identity.client.user_pool_client_id,
        user_pool_jwks=f"{endpoints.aws}/{identity.pool.user_pool_id}/.well-known/jwks.json" if endpoints.aws else None,
        endpoints=endpoints,
        packages=packages,
    )
    events = EventsStack(app, config, data=data, shop=shop, operators=operations.notices)
    workflow = WorkflowStack(app, config, shop=shop, bus=events.bus)
    api = ApiStack(
        app,
        config,
        document=document,
        api_id=edge.api.api_id,
        shop=shop,
        state_machine=workflow.state_machine,
        erasures=workflow.erasures,
        server_errors=edge.server_errors,
    )
    InsightsStack(app, config).add_stack_dependency(api)
    Aspects.of(app).add(TellOperators(notices=operations.notices, pages=operations.pages))
    if config.local:
        Aspects.of(app).add(LeaveOutWhatIsUnknown())
