"""The numbers of verification. Each can be set in the settings under the same name; these are the defaults.

Two tries of the questions ever is no setting: the database holds it (see `models.claims.TRIES`).
"""

from django.conf import settings

_DEFAULTS = {
    "CHALLENGE_ON": True,  # the site-wide switch: off, applicants go straight to documents
    "CHALLENGE_SECONDS": 120,  # for one question
    "CHALLENGE_WAIT_HOURS": 24,  # between the two tries
    "CHALLENGES_PER_ADDRESS": 5,  # started in a day from one IP address
    "CHALLENGES_PER_BLOCK": 20,  # the same from its block of 256 addresses
    "IDENTITIES_PER_ACCOUNT": 3,  # different ones in the life of an account
    "CLAIMS_PER_IDENTITY": 3,  # by one account to one person with other states or numbers
    "PENDING_PER_IDENTITY": 3,  # undecided claims to one identity
    "DOCUMENT_BYTES": 10_000_000,
    "DOCUMENTS_PER_CLAIM": 6,
    "UPLOADS_PER_DAY": 30,  # by one account, those refused among them
    "DOCUMENT_KEEP_DAYS": 30,  # after the decision
    "UNDECIDED_KEEP_DAYS": 90,  # files and codes of a claim that waits for its applicant alone
    "RECORD_KEEP_DAYS": 6
    * 365,  # of what was done for the protection of data (45 CFR 164.316(b)(2), 164.528)
    "VOUCHES_NEEDED": 3,
    "VOUCHES_PER_YEAR": 6,  # by one voucher
    "VOUCHER_DAYS": 90,  # verified for at least so long
    "RETRY_DAYS": 90,  # from a rejection to the next claim
    "DISPUTE_DAYS": 14,  # for both sides to bring documents
    "CODE_TRIES": 5,  # wrong guesses at one code; the database holds no more either
    "CODE_SENDS_PER_DAY": 3,  # for one claim, and for one number or address, whoever asks
    "CODE_ASKS_PER_DAY": 10,  # by one account, those that could not be sent among them
    "CODE_SENDS_EVER": 9,  # for one claim
    "PHONE_MINUTES": 10,  # a code said by phone is good for
    "FAX_HOURS": 24,
    "EMAIL_HOURS": 24,
    "ENDPOINT_DAYS": 30,  # an entry is looked for in the registry
    "ENDPOINT_LOOKS": 5,  # that an account may ask for in a day
    "ROSTER_BYTES": 5_000_000,  # of a board's roster loaded at the desk; larger ones by the command
    "MAIL_DOMAINS_ASKED": 3,  # by one account in a day
    "VOUCHES_OPEN": 5,  # by one voucher for claims not yet decided
    "VOUCHES_AHEAD": 2,  # with which a claim goes to the head of the queue
    "HOLD_MINUTES": 15,  # a reviewer keeps a claim that is open on the desk
    "FORETOLD_FROM": 10,  # decisions, of the last 50, from which the next are foretold
    "EXPIRY_REMINDERS": (60, 30, 7, 0, -30),  # days before the license expires
    "LAPSE_DAYS": 60,  # after it expired, without a new date
    "CONFIRM_DAYS": 365,  # after the last look at a license its holder confirms it
    "RECHECK_DAYS": 400,  # without any look, it lapses
    "LOOK_UP_SHARE": 0.02,  # of confirmations, drawn by lot for staff
    "UNMASKINGS_ASKED": 5,  # by one person in 30 days
    "UNMASKINGS_GRANTED": 10,  # by one person in 30 days
    "UNMASKING_WAIT_DAYS": 14,  # a request that nobody decided runs out
    "UNMASKING_MINUTES": 60,  # a granted name can be read
    "UNMASKING_TELL_DAYS": 7,  # after it was granted, the member is told
}


def __getattr__(name):
    if name not in _DEFAULTS:
        raise AttributeError(name)
    return getattr(settings, name, _DEFAULTS[name])
