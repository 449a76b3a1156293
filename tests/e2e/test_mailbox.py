"""What the buyer finds in the mailbox."""

from tools.demo.actors import CARD_WITH_3DS, Shopper
from tools.demo.watch import until
from tools.local import mailbox
from tools.local.instance import Instance


def test_the_mail_about_a_payment_leads_to_the_bank(instance: Instance, guest: Shopper) -> None:
    known = {mail.id for mail in mailbox.messages(instance)}
    checkout = guest.checkout((guest.some_skus(1)[0], 1))
    waiting = guest.complete(checkout, CARD_WITH_3DS)

    def asked() -> mailbox.Mail | None:
        new = (mail for mail in mailbox.messages(instance) if mail.id not in known)
        return next((mail for mail in new if "confirm the payment" in mail.subject), None)

    mail = until("the e-mail about the payment", asked)
    assert waiting["continue_url"] in mail.text
    assert waiting["continue_url"] in mail.html
    assert mailbox.page([mail], mail.id)
