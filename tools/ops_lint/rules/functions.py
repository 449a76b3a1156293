"""Lambda functions, their layers, logs and callers."""

from tools.ops_lint.rule import KEPT, Rule
from tools.ops_lint.template import Resource, flat, written

FUNCTION = ("AWS::Lambda::Function",)
_LONGEST_ANSWER = 29
"""Seconds that API Gateway waits."""
_MENDED = ("python3.13", "python3.14")
_SECRETS = ("PASSWORD", "TOKEN", "API_KEY", "SECRET")


def _answers_requests(function: Resource) -> bool:
    aliases = [one for one in function.beside("AWS::Lambda::Alias") if function.named_in(one.at("FunctionName"))]
    return any(
        called.named_in(integration.at("IntegrationUri"))
        for called in (function, *aliases)
        for integration in function.beside("AWS::ApiGatewayV2::Integration")
    )


def _errors_ring(function: Resource) -> bool:
    if _answers_requests(function):
        return any(api.rings("5xx") for api in function.anywhere("AWS::ApiGatewayV2::Api"))
    return function.rings("Errors")


def _throttles_ring(function: Resource) -> bool:
    return any(
        alarm.at("MetricName") == "Throttles" and alarm.at("Namespace") == "AWS/Lambda" and not alarm.at("Dimensions")
        for alarm in function.anywhere("AWS::CloudWatch::Alarm")
    )


def _logs_beside(function: Resource) -> bool:
    group = function.at("LoggingConfig.LogGroup")
    return any(one.named_in(group) for one in function.beside("AWS::Logs::LogGroup"))


def _own_role(function: Resource) -> bool:
    role = function.at("Role")
    return bool(role) and [one.at("Role") for one in function.beside(*FUNCTION)].count(role) == 1


def _no_secret_is_told(function: Resource) -> bool:
    told = function.at("Environment.Variables") or {}
    return not any(word in name and not name.endswith("_ARN") for name in told for word in _SECRETS)


def _runtime_is_its_layers(function: Resource) -> bool:
    layers = [one for one in function.beside("AWS::Lambda::LayerVersion") if one.named_in(function.at("Layers"))]
    runtime = function.at("Runtime")
    return runtime in _MENDED and all(one.at("CompatibleRuntimes") == [runtime] for one in layers)


def _variables(function: Resource) -> dict[str, str]:
    return function.at("Environment.Variables") or {}


def _bounded(config: Resource) -> bool:
    return config.at("MaximumRetryAttempts") is not None and config.at("MaximumEventAgeInSeconds") is not None


def _is_taken_back(group: Resource) -> bool:
    watched = group.at("AlarmConfiguration.Enabled") and group.at("AlarmConfiguration.Alarms")
    return bool(watched) and "DEPLOYMENT_STOP_ON_ALARM" in (group.at("AutoRollbackConfiguration.Events") or ())


def _kept_long_enough(group: Resource) -> bool:
    return (group.at("RetentionInDays") or 0) >= 90


RULES = (
    Rule(
        "function-errors-ring",
        "Errors of the function ring: by an alarm of its own, or behind the API by the API's",
        "A function that fails quietly is found by a buyer.",
        FUNCTION,
        _errors_ring,
    ),
    Rule(
        "function-throttles-ring",
        "An alarm over all functions tells when Lambda refuses to run one",
        "The limit is the account's: one function's rush takes the instances of all others.",
        FUNCTION,
        _throttles_ring,
    ),
    Rule(
        "function-own-role",
        "No other function has the function's role",
        "A shared role grows to what the neediest of its functions may do.",
        FUNCTION,
        _own_role,
    ),
    Rule(
        "function-own-log-group",
        "The function logs into a log group of its own template",
        "A log group that Lambda makes by itself is kept for ever, and paid for.",
        FUNCTION,
        _logs_beside,
    ),
    Rule(
        "function-answers-in-time",
        f"A function behind the API ends within {_LONGEST_ANSWER} seconds",
        "The API gives up first, and the function's work goes on without anybody to hear of it.",
        FUNCTION,
        lambda one: not _answers_requests(one) or one.at("Timeout") <= _LONGEST_ANSWER,
    ),
    Rule(
        "function-ends-within-minutes",
        "The function says how long it may take, and that is at most five minutes",
        "Lambda's default of three seconds cuts a call to the payment provider off; fifteen minutes hide a loop.",
        FUNCTION,
        lambda one: 3 < (one.at("Timeout") or 0) <= 300,
    ),
    Rule(
        "function-memory-is-chosen",
        "The function has 256 to 1,024 MB",
        "Below that its share of a CPU makes cold starts slow, above it nothing of ours gets faster.",
        FUNCTION,
        lambda one: 256 <= (one.at("MemorySize") or 128) <= 1024,
    ),
    Rule(
        "function-is-traced",
        "The function is in X-Ray's traces of who calls it, or begins one",
        "Without it a trace of an order's way has holes, and nobody can tell which step took the time.",
        FUNCTION,
        lambda one: one.at("TracingConfig.Mode") in ("Active", "PassThrough"),
    ),
    Rule(
        "function-runs-on-arm",
        "The function runs on arm64",
        "It costs a fifth less for the same work.",
        FUNCTION,
        lambda one: one.at("Architectures") == ["arm64"],
    ),
    Rule(
        "function-runtime-is-current",
        "The function runs on the Python that its packages are built for, and that AWS still mends",
        "A package with compiled parts for another version fails at the first import.",
        FUNCTION,
        _runtime_is_its_layers,
    ),
    Rule(
        "function-says-what-it-does",
        "The function has a description",
        "Whoever is woken at night sees a list of functions in the console.",
        FUNCTION,
        lambda one: bool(one.at("Description")),
    ),
    Rule(
        "function-name-is-typed",
        "The function is called tradepost-<environment>-…",
        "Runbooks and log groups name it; a generated name changes with every replacement.",
        FUNCTION,
        lambda one: flat(one.at("FunctionName")).startswith(f"tradepost-{one.environment}-"),
    ),
    Rule(
        "function-logs-name-their-service",
        "The function tells its logs and metrics which service it is",
        "Saved queries and metrics are told apart by it.",
        FUNCTION,
        lambda one: {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"} <= set(_variables(one)),
    ),
    Rule(
        "function-does-not-log-all",
        "The function logs from INFO on, and never whole requests",
        "Debug logs and logged requests hold addresses of buyers, and cost more than the function.",
        FUNCTION,
        lambda one: _variables(one).get("POWERTOOLS_LOG_LEVEL") in ("INFO", "WARNING")
        and "POWERTOOLS_LOGGER_LOG_EVENT" not in _variables(one),
    ),
    Rule(
        "function-is-told-no-secret",
        "The function's environment holds no secret, only the ARNs of secrets",
        "Everybody who may look at a function's settings could read it.",
        FUNCTION,
        _no_secret_is_told,
    ),
    Rule(
        "function-shares-its-packages",
        "The function has the domain and its packages as layers, of which Lambda takes five",
        "Packaged with each function they would be uploaded twenty times, and differ.",
        FUNCTION,
        lambda one: 2 <= len(one.at("Layers") or ()) <= 5,
    ),
    Rule(
        "layer-fits-its-functions",
        "The layer says for which Python and processor it is built",
        "A layer for another processor is accepted and fails at the first import.",
        ("AWS::Lambda::LayerVersion",),
        lambda one: len(one.at("CompatibleRuntimes") or ()) == 1 and one.at("CompatibleArchitectures") == ["arm64"],
    ),
    Rule(
        "invocations-are-bounded",
        "What is invoked without an answer has a number of attempts and an age",
        "Lambda's default repeats for six hours: the minute's work would be done long after its minute.",
        ("AWS::Lambda::EventInvokeConfig",),
        _bounded,
    ),
    Rule(
        "versions-serve-by-an-alias",
        "The version is served by an alias",
        "Callers that name a version stay with it; those that name the alias come along, and back.",
        ("AWS::Lambda::Version",),
        lambda one: any(one.named_in(alias.at("FunctionVersion")) for alias in one.beside("AWS::Lambda::Alias")),
    ),
    Rule(
        "aliases-shift-by-codedeploy",
        "The alias moves from version to version by a deployment group",
        "Otherwise a deployment moves all calls at once, and nothing moves them back.",
        ("AWS::Lambda::Alias",),
        lambda one: "CodeDeployLambdaAliasUpdate" in (one.body.get("UpdatePolicy") or {}),
    ),
    Rule(
        "releases-are-taken-back",
        "An alarm that rings during the release takes it back",
        "A release that fails for buyers would otherwise fail until somebody is awake.",
        ("AWS::CodeDeploy::DeploymentGroup",),
        _is_taken_back,
        KEPT,
    ),
    Rule(
        "releases-are-of-functions",
        "The application deploys functions",
        "A deployment group of another platform cannot move an alias.",
        ("AWS::CodeDeploy::Application",),
        lambda one: one.at("ComputePlatform") == "Lambda",
    ),
    Rule(
        "callers-are-named",
        "The permission to call the function is given to one source",
        "Without a source every API and every rule of every account could call it through that service.",
        ("AWS::Lambda::Permission",),
        lambda one: bool(one.at("SourceArn")) and one.at("Action") == "lambda:InvokeFunction",
    ),
    Rule(
        "logs-are-forgotten",
        "The log group keeps its lines for a number of days",
        "Logs that are kept for ever are paid for ever, and hold more about people every day.",
        ("AWS::Logs::LogGroup",),
        lambda one: isinstance(one.at("RetentionInDays"), int),
    ),
    Rule(
        "logs-last-for-a-dispute",
        "The log group keeps its lines for at least ninety days",
        "A buyer's bank may dispute a charge for months, and the answer is in the logs.",
        ("AWS::Logs::LogGroup",),
        _kept_long_enough,
        frozenset({"prod"}),
    ),
    Rule(
        "logs-have-a-known-name",
        "The log group has the name that runbooks and saved queries use",
        "A generated name is found by nobody at night.",
        ("AWS::Logs::LogGroup",),
        lambda one: "/tradepost-" in written(one.at("LogGroupName")),
    ),
    Rule(
        "mapping-retries-alone",
        "Of a batch only what failed comes again",
        "Otherwise one bad message repeats the work of nine good ones.",
        ("AWS::Lambda::EventSourceMapping",),
        lambda one: one.at("FunctionResponseTypes") == ["ReportBatchItemFailures"],
    ),
    Rule(
        "mapping-leaves-instances-to-buyers",
        "A queue's function may have only so many instances",
        "A flood of e-mails would take the instances that answer buyers.",
        ("AWS::Lambda::EventSourceMapping",),
        lambda one: _of_stream(one) or bool(one.at("ScalingConfig.MaximumConcurrency")),
    ),
    Rule(
        "stream-parks-what-keeps-failing",
        "A stream's record that keeps failing goes to a queue of its own template",
        "It would be thrown away when it is too old, and nobody would know.",
        ("AWS::Lambda::EventSourceMapping",),
        lambda one: not _of_stream(one) or _parked_beside(one),
    ),
    Rule(
        "stream-gives-up",
        "A stream's record is tried a number of times, for some hours, and a failing batch is halved",
        "Unlimited attempts stop the whole shard behind one bad record for a day.",
        ("AWS::Lambda::EventSourceMapping",),
        lambda one: not _of_stream(one)
        or (
            0 < (one.at("MaximumRetryAttempts") or -1) <= 20
            and 0 < (one.at("MaximumRecordAgeInSeconds") or -1) < 86_400
            and one.at("BisectBatchOnFunctionError") is True
        ),
    ),
    Rule(
        "stream-begins-at-its-oldest",
        "A stream is read from its oldest record on",
        "What was written between table and function would be missed.",
        ("AWS::Lambda::EventSourceMapping",),
        lambda one: not _of_stream(one) or one.at("StartingPosition") == "TRIM_HORIZON",
    ),
    Rule(
        "stream-is-filtered",
        "A stream's function is called only for records that concern it",
        "Every write of a table would be an invocation that is paid and does nothing.",
        ("AWS::Lambda::EventSourceMapping",),
        lambda one: not _of_stream(one) or bool(one.at("FilterCriteria.Filters")),
    ),
    Rule(
        "stream-lag-rings",
        "An alarm tells when a stream's function falls behind",
        "Records are gone after a day, with the events and notices that they should become.",
        ("AWS::Lambda::EventSourceMapping",),
        lambda one: not _of_stream(one)
        or any(
            function.named_in(one.at("FunctionName")) and function.rings("IteratorAge")
            for function in one.beside(*FUNCTION)
        ),
    ),
)


def _of_stream(mapping: Resource) -> bool:
    return mapping.at("StartingPosition") is not None


def _parked_beside(mapping: Resource) -> bool:
    where = mapping.at("DestinationConfig.OnFailure.Destination")
    return any(queue.named_in(where) for queue in mapping.beside("AWS::SQS::Queue"))
