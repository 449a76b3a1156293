"""Where codes and invitations come from."""

import json

from aws_cdk import App
from aws_cdk.assertions import Template

from stacks.config import load
from stacks.identity import IdentityStack


def test_codes_come_from_the_shops_own_address_once_the_config_says_so(prod):
    [before] = prod.properties("AWS::Cognito::UserPool")
    assert "EmailConfiguration" not in before

    config = load("prod").model_copy(update={"accounts_by_ses": True})
    resources = Template.from_stack(IdentityStack(App(), config)).to_json()["Resources"]
    [pool] = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::Cognito::UserPool"]
    mail = pool["EmailConfiguration"]
    assert (mail["EmailSendingAccount"], mail["From"]) == ("DEVELOPER", config.shop.email_from)
    assert json.dumps(mail["SourceArn"]).count(":identity/tradepost.example") == 1
