"""Plain makers of people for tests."""

from itertools import count

from allauth.account.models import EmailAddress

from accounts import handles
from accounts.models import Handle, Member, Specialty, User

numbers = count(1)
LETTERS = "abcdefghjkmnpqrstuvwxyz"


def make_user(email=None, password=None, **fields):
    email = email or f"person{next(numbers)}@example.org"
    user = User.objects.create_user(email, password, **fields)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def make_specialty(name="Cardiovascular Disease", code=None, group=""):
    found = Specialty.objects.filter(name=name, is_choice=True).first()
    if found:
        return found
    slug = name.lower().replace(" ", "-").replace("&", "and")
    return Specialty.objects.create(
        code=code or f"20{next(numbers):07}X",
        name=name,
        group=group or name,
        slug=slug,
        is_choice=True,
        is_physician=True,
    )


def new_handle():
    """Unlike every other by more than a lookalike: digits spelled as letters."""
    return "member" + "".join(LETTERS[int(digit)] for digit in str(next(numbers)))


def make_member(
    handle=None, *, standing=Member.Standing.PHYSICIAN, specialty="Cardiovascular Disease", **fields
):
    """What `members.create_member` makes of a log-in, written once and as what it became since."""
    user = fields.pop("user", None) or make_user(fields.pop("email", None), fields.pop("password", None))
    member = Member(user=user, handle=handles.check(handle or new_handle()), standing=standing)
    member.specialty = make_specialty(specialty) if isinstance(specialty, str) else specialty
    for name, value in fields.items():
        setattr(member, name, value)
    member.save(force_insert=True)
    Handle.objects.create(key=handles.key(member.handle), text=member.handle, member=member)
    return member
