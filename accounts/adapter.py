"""Where django-allauth asks this site."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.shortcuts import resolve_url

from sermo import crypto

WAYS_TO_CONFIRM = {
    "reauthenticate": "Use the password",
    "mfa_reauthenticate": "Use the app or a recovery code",
    "mfa_reauthenticate:webauthn": "Use a passkey or security key",
}


class AccountAdapter(DefaultAccountAdapter):
    def get_login_redirect_url(self, request):
        member = request.user.as_member
        return resolve_url("verification:start" if member and member.is_applicant else "home")

    get_signup_redirect_url = get_login_redirect_url

    def get_email_verification_redirect_url(self, email_address):
        return (
            self.get_login_redirect_url(self.request)
            if self.request.user.is_authenticated
            else resolve_url("account_login")
        )

    def get_reauthentication_methods(self, user):
        """The ways to show that it is still oneself, in our words."""
        ways = super().get_reauthentication_methods(user)
        return [{**way, "description": WAYS_TO_CONFIRM.get(way["id"], way["description"])} for way in ways]

    def clean_email(self, email):
        return super().clean_email(email).lower()


class MFAAdapter(DefaultMFAAdapter):
    """Seeds and recovery codes are stored encrypted."""

    def encrypt(self, text: str) -> str:
        return crypto.encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return crypto.decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user, kind) -> str:
        """What a key is called that got no name."""
        known = user.authenticator_set.filter(type=kind).count()
        return f"Key {known + 1}"

    def get_public_key_credential_rp_entity(self):
        return {**super().get_public_key_credential_rp_entity(), "name": "Sermo"}
