"""Where django-allauth asks this site."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.shortcuts import resolve_url

from sermo import crypto


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

    def clean_email(self, email):
        return super().clean_email(email).lower()


class MFAAdapter(DefaultMFAAdapter):
    """Seeds and recovery codes are stored encrypted."""

    def encrypt(self, text: str) -> str:
        return crypto.encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return crypto.decrypt(encrypted_text.encode()).decode()

    def get_public_key_credential_rp_entity(self):
        return {**super().get_public_key_credential_rp_entity(), "name": "Sermo"}
