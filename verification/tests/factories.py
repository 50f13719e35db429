"""Plain makers of registry entries, claims and files for tests. All people are invented."""

import io
from datetime import date, timedelta
from itertools import count

from django.utils import timezone
from PIL import Image

from accounts.tests.factories import make_member, make_user
from sermo.crypto import keyed_hash
from verification import licenses, names, npi
from verification.models import Claim, Education, Exclusion, MedicalSchool, Provider, ProviderLicense
from verification.models.claims import State
from verification.names import PersonName
from verification.services import claims, vouching

numbers = count(1)
CARDIOLOGY = "207RC0000X"
SCHOOL = "University of Michigan Medical School"


def new_npi():
    """A well-formed NPI that begins with 2, as no real one does."""
    nine = f"2{next(numbers):08}"
    return nine + npi.check_digit(nine)


def make_provider(last="Quillfeather", first="Ottoline", *, number=None, state="MI", year=2010, **fields):
    """A physician with an entry in all registries: seven facts, among them a second license unless `second=None`."""
    number = number or f"4301{next(numbers) + 100_000}"
    second = fields.pop("second", ("39856", "AZ"))
    school = fields.pop("school", SCHOOL)
    provider = Provider.objects.create(
        **{
            "npi": new_npi(),
            "last_name": last.upper(),
            "first_name": first.upper(),
            "credential": "MD",
            "name_key": names.name_key(last, first),
            "practice_city": "LANSING",
            "practice_state": state,
            "practice_zip": "48937",
            "practice_phone": "5175550100",
            "enumerated_on": date(year + 3 if year else 2014, 1, 9),
            "is_physician": True,
            "is_resident": False,
            "row_hash": "",
            "run_id": 0,
            **fields,
        }
    )
    add_license(provider, 1, number, state, is_primary=True)
    if second:
        add_license(provider, 2, *second)
    if school or year:
        Education.objects.create(
            npi=provider.npi,
            school=MedicalSchool.objects.get(name=school) if school else None,
            grad_year=year,
            run_id=0,
        )
    return provider


def add_license(provider, slot, number, state, *, taxonomy=CARDIOLOGY, is_primary=False):
    return ProviderLicense.objects.create(
        npi=provider.npi,
        slot=slot,
        taxonomy=taxonomy,
        number=number,
        number_key=licenses.normal_number(state, number),
        state=state,
        is_primary=is_primary,
    )


def make_exclusion(provider, **fields):
    return Exclusion.objects.create(
        **{
            "npi": provider.npi,
            "last_name": provider.last_name,
            "first_name": provider.first_name,
            "last_key": names.last_key(provider.last_name),
            "first_key": names.first_key(provider.first_name),
            "state": provider.practice_state,
            "excltype": "1128a1",
            "run_id": 0,
            **fields,
        }
    )


def make_applicant(**fields):
    return make_member(**{"standing": "applicant", "specialty": None, **fields})


def start(member, provider, **changes):
    """Claim to be a provider, by NPI unless told otherwise."""
    given = {
        "name": PersonName(provider.last_name.title(), provider.first_name.title(), ""),
        "degree": "MD",
        "state": provider.licenses()[0].state,
        "npi": provider.npi,
        **changes,
    }
    return claims.start_claim(user=member.user, **given)


def make_claim(member=None, provider=None, *, state=State.MATCHED, **fields):
    """A claim put into a state without walking there."""
    member = member or make_applicant()
    provider = provider or make_provider()
    first = provider.licenses()[0]
    from verification import registry

    holds = {"method": "document", "verified_at": timezone.now(), "decided_at": timezone.now()}
    return Claim.objects.create(
        **{
            "user": member.user,
            "npi_hash": keyed_hash(provider.npi, "npi"),
            "license_hash": keyed_hash(f"{first.state}|{first.number_key}|MD", "license"),
            "identity": {
                "typed": {
                    "first": provider.first_name.title(),
                    "middle": "",
                    "last": provider.last_name.title(),
                    "degree": "MD",
                    "state": first.state,
                    "npi": provider.npi,
                    "license_number": "",
                },
                "registry": registry.snapshot(provider),
            },
            "degree": "MD",
            "license_state": first.state,
            "state": state,
            **(holds if state in ("verified", "lapsed", "suspended", "disputed_holder", "retired") else {}),
            **fields,
        }
    )


def make_holder(provider=None, *, days=200, zip_code="48937", joined_days=300, **fields):
    """A physician verified some days ago, who may vouch."""
    provider = provider or make_provider(practice_zip=zip_code)
    when = timezone.now() - timedelta(days=days)
    member = make_member(user=make_user(date_joined=timezone.now() - timedelta(days=joined_days)))
    make_claim(member, provider, state=State.VERIFIED, **{"verified_at": when, "decided_at": when, **fields})
    return member


def make_vouchers(claim, how_many=3):
    """Colleagues who vouch: of different practices, joined in different weeks."""
    code = vouching.ask_colleagues(claim=claim).code
    vouchers = [
        make_holder(zip_code=f"1000{number}", joined_days=200 + 20 * number) for number in range(how_many)
    ]
    for voucher in vouchers:
        vouching.vouch(
            code=code, voucher=voucher.user, relation="works", statement="We share the night shifts."
        )
    return vouchers


def make_reviewer():
    """Staff of the reviewers' group, with a second factor as the site demands of staff."""
    from allauth.mfa.models import Authenticator
    from django.contrib.auth.models import Group

    from accounts.roles import REVIEWERS

    user = make_user(is_staff=True)
    user.groups.add(Group.objects.get(name=REVIEWERS))
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    return user


def image_bytes(size=(600, 400), file_format="JPEG", *, mode="RGB", color=None, **options):
    out = io.BytesIO()
    Image.new(mode, size, color or 0).save(out, file_format, **options)
    return out.getvalue()
