"""`make drill`: brings about what each alarm rings for, follows the alarm, and walks its runbook's commands."""
