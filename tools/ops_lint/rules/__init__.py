"""The rules, by what they are about."""

from tools.ops_lint.rule import Rule
from tools.ops_lint.rules import access, data, front, functions, messages, watching, workflow

RULES: tuple[Rule, ...] = (
    *functions.RULES,
    *messages.RULES,
    *workflow.RULES,
    *data.RULES,
    *front.RULES,
    *access.RULES,
    *watching.RULES,
)

NO_RULE = {
    "AWS::Logs::LogStream": "a name within a log group, which has the rules",
    "AWS::Glue::Database": "a name for tables; nothing of it runs or costs",
    "AWS::KMS::Alias": "a name for a key, which has the rules",
    "AWS::WAFv2::WebACL": "made only where the config asks for it; tests hold what it says",
    "AWS::SQS::QueueInlinePolicy": "the queue's rules read its policies",
}
"""Types that no rule looks at, and why that is right."""
