"""The people of a local shop: one member of staff for each group, and a shopper. Their password is no secret."""

from tools.local.instance import Instance

GROUPS = ("catalogue", "warehouse", "support", "admin")
SHOPPER = "shopper"
PASSWORD = "Tradepost-on-a-laptop-1"


def address(name: str) -> str:
    """The e-mail address with which a group's member, or the shopper, signs in."""
    return f"{name}@example.com"


def settle(instance: Instance) -> None:
    """Puts everyone into the user pool. People who are there already stay as they are."""
    pool = instance.client("cognito-idp")
    where = instance.output("UserPoolId")
    for name in (*GROUPS, SHOPPER):
        who = {"UserPoolId": where, "Username": address(name)}
        try:
            pool.admin_create_user(
                **who,
                MessageAction="SUPPRESS",
                UserAttributes=[
                    {"Name": "email", "Value": address(name)},
                    {"Name": "email_verified", "Value": "true"},
                ],
            )
        except pool.exceptions.UsernameExistsException:
            continue
        pool.admin_set_user_password(**who, Password=PASSWORD, Permanent=True)
        if name in GROUPS:
            pool.admin_add_user_to_group(**who, GroupName=name)


def token(instance: Instance, name: str) -> str:
    """A bearer token, good for an hour, of the member of a group (or of `shopper`)."""
    answer = instance.client("cognito-idp").initiate_auth(
        ClientId=instance.output("UserPoolClientId"),
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": address(name), "PASSWORD": PASSWORD},
    )
    access: str = answer["AuthenticationResult"]["AccessToken"]
    return access
