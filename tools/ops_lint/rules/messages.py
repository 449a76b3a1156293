"""Queues, the bus, its rules and its archive."""

from tools.ops_lint.rule import ON_AWS, Rule
from tools.ops_lint.template import Resource, listed, statements, written

QUEUE = ("AWS::SQS::Queue",)
EVENT_RULE = ("AWS::Events::Rule",)
_TWO_WEEKS = 14 * 86_400


def _is_parked(queue: Resource) -> bool:
    """Whether something else puts there what it gave up."""
    redrives = [one.at("RedrivePolicy") for one in queue.beside(*QUEUE)]
    targets = [one.at("Targets") for one in queue.beside(*EVENT_RULE)]
    failures = [one.at("DestinationConfig") for one in queue.beside("AWS::Lambda::EventSourceMapping")]
    dead = [one.at("DeadLetterConfig") for one in queue.beside("AWS::Lambda::Function")]
    undelivered = [one.at("RedrivePolicy") for one in queue.beside("AWS::SNS::Subscription")]
    unheard = [_dead_letters(one) for one in targets]
    return any(map(queue.named_in, [*redrives, *failures, *dead, *undelivered, *unheard]))


def _dead_letters(targets: object) -> list[object]:
    return [target.get("DeadLetterConfig") for target in listed(targets)]


def _works(queue: Resource) -> bool:
    return queue.at("RedrivePolicy") is not None


def _outlasts_a_function(queue: Resource) -> bool:
    functions = [
        function
        for mapping in queue.beside("AWS::Lambda::EventSourceMapping")
        if queue.named_in(mapping.at("EventSourceArn"))
        for function in queue.beside("AWS::Lambda::Function")
        if function.named_in(mapping.at("FunctionName"))
    ]
    return all((queue.at("VisibilityTimeout") or 30) >= 6 * function.at("Timeout") for function in functions)


def _refuses_plain_http(queue: Resource) -> bool:
    return any(
        queue.named_in(policy.at("Queues")) and '"aws:SecureTransport": "false"' in written(statements(policy))
        for policy in queue.beside("AWS::SQS::QueuePolicy")
    )


def _only_known_senders(policy: Resource) -> bool:
    return all(
        one["Effect"] == "Deny" or ("Condition" in one and "Service" in one["Principal"]) for one in statements(policy)
    )


def _every_target_parks(rule: Resource) -> bool:
    targets = listed(rule.at("Targets"))
    queues = list(rule.beside(*QUEUE))
    return bool(targets) and all(any(queue.named_in(dead) for queue in queues) for dead in _dead_letters(targets))


def _hears_the_shop_only(rule: Resource) -> bool:
    return bool(rule.at("ScheduleExpression")) or rule.at("EventPattern.source") == ["tradepost"]


def _on_the_shops_bus(rule: Resource) -> bool:
    return bool(rule.at("ScheduleExpression")) or rule.at("EventBusName") is not None


def _is_archived(bus: Resource) -> bool:
    return any(bus.named_in(archive.at("SourceArn")) for archive in bus.beside("AWS::Events::Archive"))


RULES = (
    Rule(
        "queue-gives-up-to-a-queue",
        "The queue has dead letters, or holds those of something else",
        "A message that always fails would come again until it is thrown away unseen.",
        QUEUE,
        lambda one: _works(one) or _is_parked(one),
    ),
    Rule(
        "queue-tries-some-times",
        "A message is tried three to ten times",
        "Fewer park it for a passing fault, more delay whoever must look at it.",
        QUEUE,
        lambda one: not _works(one) or 3 <= one.at("RedrivePolicy.maxReceiveCount") <= 10,
    ),
    Rule(
        "dead-letters-ring",
        "An alarm tells of the first dead letter",
        "A dead letter is work of a buyer's order that a person must do.",
        QUEUE,
        lambda one: _works(one) or one.rings("ApproximateNumberOfMessagesVisible"),
    ),
    Rule(
        "queue-age-rings",
        "An alarm tells when a message waits for too long",
        "A function that is never called makes no errors: only the waiting shows it.",
        QUEUE,
        lambda one: not _works(one) or one.rings("ApproximateAgeOfOldestMessage"),
    ),
    Rule(
        "dead-letters-wait-two-weeks",
        "Dead letters are kept for two weeks, SQS's most",
        "Whoever comes back from a holiday finds them still.",
        QUEUE,
        lambda one: _works(one) or one.at("MessageRetentionPeriod") == _TWO_WEEKS,
    ),
    Rule(
        "queue-outlasts-a-weekend",
        "A message waits for at least four days",
        "A consumer that broke on Friday evening is mended on Monday.",
        QUEUE,
        lambda one: (one.at("MessageRetentionPeriod") or 345_600) >= 345_600,
    ),
    Rule(
        "queue-hides-long-enough",
        "A message stays hidden for six times as long as its function may take",
        "It would be worked on twice at once.",
        QUEUE,
        _outlasts_a_function,
    ),
    Rule(
        "queue-is-encrypted",
        "The queue is encrypted at rest, by SQS's own key or another",
        "Messages name orders.",
        QUEUE,
        lambda one: one.at("SqsManagedSseEnabled") is not False,
    ),
    Rule(
        "queue-speaks-tls",
        "The queue refuses plain HTTP",
        "What travels in the open can be read on its way.",
        QUEUE,
        _refuses_plain_http,
        ON_AWS,
    ),
    Rule(
        "queue-has-no-typed-name",
        "The queue's name is left to CloudFormation",
        "A typed name makes a replacement impossible: both would have it.",
        QUEUE,
        lambda one: one.at("QueueName") is None,
    ),
    Rule(
        "queue-knows-its-senders",
        "Only services of AWS, and of them only the shop's own, may send to the queue",
        "A queue that anybody may write to is a way into the shop.",
        ("AWS::SQS::QueuePolicy",),
        _only_known_senders,
    ),
    Rule(
        "event-rule-parks",
        "What a target did not take goes to a queue of the same template",
        "EventBridge gives up after a day, and the event is gone.",
        EVENT_RULE,
        _every_target_parks,
    ),
    Rule(
        "event-rule-loss-rings",
        "An alarm tells when an event reached neither target nor dead letters",
        "It is the one way in which an event can be lost.",
        EVENT_RULE,
        lambda one: one.rings("InvocationsFailedToBeSentToDlq"),
    ),
    Rule(
        "event-rule-is-explained",
        "The rule says for whom it is",
        "Rules have generated names.",
        EVENT_RULE,
        lambda one: bool(one.at("Description")),
    ),
    Rule(
        "event-rule-hears-the-shop",
        "The rule takes events of the shop alone",
        "Whoever may put events on the bus could have mails sent by another source's name.",
        EVENT_RULE,
        _hears_the_shop_only,
    ),
    Rule(
        "event-rule-is-on-the-shops-bus",
        "The rule listens to the shop's bus",
        "On the account's own bus nothing of the shop arrives.",
        EVENT_RULE,
        _on_the_shops_bus,
    ),
    Rule(
        "event-rule-is-on",
        "The rule is switched on",
        "One that was switched off by hand in a night stays off after the deployment.",
        EVENT_RULE,
        lambda one: one.at("State") == "ENABLED",
    ),
    Rule(
        "bus-is-archived",
        "All events of the bus are archived",
        "A consumer that is new, or was wrong, is given the events again.",
        ("AWS::Events::EventBus",),
        _is_archived,
        ON_AWS,
    ),
    Rule(
        "archive-forgets",
        "The archive keeps its events for a number of days",
        "An archive without an end grows for ever.",
        ("AWS::Events::Archive",),
        lambda one: 7 <= (one.at("RetentionDays") or 0) <= 3653,
    ),
)
