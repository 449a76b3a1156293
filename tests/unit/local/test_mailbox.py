from datetime import UTC, datetime

from tools.local.mailbox import Mail, page


def mail(**changes):
    fields = {
        "id": "m1",
        "sender": "Tradepost <shop@example.com>",
        "to": "ada@example.com",
        "subject": "Your order is confirmed",
        "text": "Thank you.",
        "html": "<p>Thank you.</p>",
        "sent": datetime(2026, 11, 22, 10, tzinfo=UTC),
    }
    return Mail(**{**fields, **changes})


def test_the_list_shows_whom_the_shop_wrote_what():
    shown = page([mail()], "")

    assert "Your order is confirmed" in shown
    assert "ada@example.com" in shown
    assert 'href="/mailbox/m1"' in shown
    assert "2026-11-22 10:00:00 UTC" in shown


def test_an_empty_mailbox_says_what_would_fill_it():
    assert "No e-mail yet" in page([], "")


def test_an_email_is_shown_as_html_and_as_text():
    shown = page([mail()], "m1")

    assert "&lt;p&gt;Thank you.&lt;/p&gt;" in shown
    assert "<pre>Thank you.</pre>" in shown


def test_what_a_buyer_wrote_into_an_email_cannot_run_in_the_page():
    shown = page([mail(subject="<script>1</script>", html='"><script>2</script>', text="<script>3</script>")], "m1")

    assert "<script>" not in shown
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in shown
    assert "allow-scripts" not in shown


def test_a_link_in_an_email_opens_a_tab_of_its_own():
    shown = page([mail(html="<html><head></head><a href='https://bank.example'>Confirm</a></html>")], "m1")

    assert "&lt;head&gt;&lt;base target=&quot;_blank&quot;&gt;" in shown


def test_an_unknown_email_is_not_found():
    assert page([mail()], "other") is None
