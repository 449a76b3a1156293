"""What the functions and the processes of a local shop say, as it happens."""

import collections
import time
from typing import Any, TextIO

from tools.local.instance import Instance
from tools.local.steps import say

_EARLIER_SECONDS = 600
_POLL_SECONDS = 1.0


def follow(instance: Instance, *, only: str | None, forever: bool) -> None:
    """Shows the functions' last ten minutes and all that processes said, then (`forever`) what comes. `only` is a part
    of a function's name.
    """
    watch = instance.client("logs")
    since = int((time.time() - _EARLIER_SECONDS) * 1000)
    files: dict[str, TextIO] = {}
    shown: collections.Counter[str] = collections.Counter()
    while True:
        for group in _groups(watch, only):
            events = _events(watch, group, since)
            for event in events[shown[group] :]:
                _show(group.rpartition("/")[2], event["message"])
            shown[group] = len(events)
        if only is None:
            _show_files(instance, files)
        if not forever:
            return
        time.sleep(_POLL_SECONDS)


def _groups(watch: Any, only: str | None) -> list[str]:
    pages = watch.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="/aws/lambda/")
    names = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    return [name for name in names if only is None or only in name]


def _events(watch: Any, group: str, since: int) -> list[dict[str, Any]]:
    found = watch.filter_log_events(logGroupName=group, startTime=since)
    return sorted(found["events"], key=lambda event: event["timestamp"])


def _show_files(instance: Instance, files: dict[str, TextIO]) -> None:
    for path in sorted((instance.folder / "log").glob("*.log")):
        if path.name not in files:
            files[path.name] = path.open(errors="replace")
        for line in files[path.name]:
            _show(path.stem, line)


def _show(who: str, text: str) -> None:
    for line in text.rstrip().splitlines():
        say(f"{who:28.28} {line}")
