"""Who people are: a user pool for customers, who sign themselves up, and for staff, whom an admin puts into groups."""

from aws_cdk import Duration
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from commerce.identity.model import GROUPS
from stacks.base import ShopStack
from stacks.config import Config
from stacks.constructs.retention import removal_of_protected

_MAY = {
    "catalogue": "create, change and archive products",
    "warehouse": "correct stock; pick, pack and ship orders",
    "support": "see and cancel orders, give refunds, take returns",
    "admin": "everything",
}


class IdentityStack(ShopStack):
    """Cognito."""

    def __init__(self, scope: Construct, config: Config) -> None:
        super().__init__(scope, "identity", config=config, does="customers and staff")
        self.pool = cognito.UserPool(
            self,
            "People",
            self_sign_up_enabled=True,
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            keep_original=cognito.KeepOriginalAttrs(email=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            mfa=cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            password_policy=cognito.PasswordPolicy(
                min_length=12,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
            ),
            deletion_protection=config.keep_data,
            removal_policy=removal_of_protected(config),
        )
        if config.accounts_by_ses:
            self._send_through_ses(config)
        self.client = self.pool.add_client(
            "Storefront",
            auth_flows=cognito.AuthFlow(user_password=True, user_srp=True),
            disable_o_auth=True,
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            access_token_validity=Duration.hours(1),
            id_token_validity=Duration.hours(1),
            refresh_token_validity=Duration.days(30),
        )
        for group in GROUPS:
            cognito.CfnUserPoolGroup(
                self,
                f"{group.capitalize()}Group",
                user_pool_id=self.pool.user_pool_id,
                group_name=group,
                description=f"Staff who may {_MAY[group]}",
            )
        self.tell("UserPoolId", self.pool.user_pool_id)
        self.tell("UserPoolClientId", self.client.user_pool_client_id)

    @property
    def issuer(self) -> str:
        """Who signs the pool's tokens."""
        return f"https://cognito-idp.{self.region}.amazonaws.com/{self.pool.user_pool_id}"

    def _send_through_ses(self, config: Config) -> None:
        """Codes and invitations, from where the shop's other e-mails come from."""
        pool = self.pool.node.default_child
        assert isinstance(pool, cognito.CfnUserPool)
        pool.email_configuration = cognito.CfnUserPool.EmailConfigurationProperty(
            email_sending_account="DEVELOPER",
            from_=config.shop.email_from,
            source_arn=self.format_arn(service="ses", resource="identity", resource_name=config.email_domain),
        )
