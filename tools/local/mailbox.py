"""The mailbox page: every e-mail that the local SES took, as its reader would see it."""

import html
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr

from tools.local.calls import LOCAL
from tools.local.instance import Instance

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src * data:; frame-src 'self'; frame-ancestors 'none'"
)

_STYLE = """
:root { color-scheme: light dark;
  --line: color-mix(in srgb, CanvasText 15%, Canvas); --soft: color-mix(in srgb, CanvasText 60%, Canvas) }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem; font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.4rem } a { color: inherit } small, .soft { color: var(--soft) }
ol { list-style: none; padding: 0 }
li a { display: grid; grid-template-columns: 1fr auto; gap: 0 1rem; padding: .8rem .4rem; text-decoration: none;
  border-top: 1px solid var(--line) }
li a:hover { background: var(--line) } li span { color: var(--soft) }
iframe { width: 100%; height: max(38rem, 75vh); border: 1px solid var(--line); border-radius: .5rem; background: white }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 1rem;
  border: 1px solid var(--line); border-radius: .5rem }
summary { cursor: pointer; margin: 1rem 0 }
"""


@dataclass(frozen=True)
class Mail:
    """One e-mail."""

    id: str
    sender: str
    to: str
    subject: str
    text: str
    html: str
    sent: datetime


def messages(instance: Instance) -> list[Mail]:
    """All e-mails, the newest first. Raises httpx.HTTPError where the local AWS does not answer."""
    answer = LOCAL.get(f"{instance.aws_url}/_ministack/ses/messages", timeout=10).raise_for_status()
    found = [
        Mail(
            id=message["MessageId"],
            sender=message["Source"],
            to=", ".join(message["To"]),
            subject=message["Subject"] or "(no subject)",
            text=message["BodyText"] or "",
            html=message["BodyHtml"] or "",
            sent=datetime.fromtimestamp(float(message["Timestamp"]), UTC),
        )
        for sent in answer.json()["messages"].values()
        for message in sent
    ]
    return sorted(found, key=lambda mail: mail.sent, reverse=True)


def page(mails: list[Mail], wanted: str) -> str | None:
    """The list (`wanted` empty), or the e-mail with that id; None where there is none."""
    if not wanted:
        return _list(mails)
    return next((_one(mail) for mail in mails if mail.id == wanted), None)


def _list(mails: list[Mail]) -> str:
    rows = "".join(
        f'<li><a href="/mailbox/{html.escape(mail.id)}"><b>{html.escape(mail.subject)}</b>'
        f"<small>{_when(mail.sent)}</small><span>{html.escape(mail.to)}</span></a></li>"
        for mail in mails
    )
    empty = "<p class=soft>No e-mail yet. Buy something: the confirmation appears here.</p>"
    return _page("Mailbox", f"<h1>Mailbox</h1>{f'<ol>{rows}</ol>' if rows else empty}", refresh=True)


def _one(mail: Mail) -> str:
    # The e-mail's own HTML runs in a frame that may do nothing, no script, no form; its links open tabs of their own.
    content = mail.html.replace("<head>", '<head><base target="_blank">', 1)
    shown = (
        '<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" title="The e-mail" '
        f'srcdoc="{html.escape(content)}"></iframe>'
        f"<details><summary>As plain text</summary><pre>{html.escape(mail.text)}</pre></details>"
        if mail.html
        else f"<pre>{html.escape(mail.text)}</pre>"
    )
    name, address = parseaddr(mail.sender)
    return _page(
        mail.subject,
        f'<p><a href="/mailbox">All e-mails</a></p><h1>{html.escape(mail.subject)}</h1>'
        f"<p class=soft>From {html.escape(name or address)} to {html.escape(mail.to)}, "
        f"{_when(mail.sent)}</p>"
        f"{shown}",
    )


def _when(sent: datetime) -> str:
    return f"{sent:%Y-%m-%d %H:%M:%S} UTC"


def _page(title: str, body: str, *, refresh: bool = False) -> str:
    again = '<meta http-equiv="refresh" content="5">' if refresh else ""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"{again}"
        f"<title>{html.escape(title)} · Tradepost</title><style>{_STYLE}</style><body>{body}</body></html>\n"
    )
