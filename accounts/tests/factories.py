"""Plain makers of people for tests."""

from itertools import count

from allauth.account.models import EmailAddress

from accounts import handles
from accounts.models import Handle, Member, Specialty, User
from sermo.prepared import columns_of, instance_of, prepared
from sermo.testing.rows import insert_together

numbers = count(1)
LETTERS = "abcdefghjkmnpqrstuvwxyz"


def make_user(email=None, password=None, **fields):
    user, address = _new_user(email, password, **fields)
    insert_together(user, address)
    return user


def _new_user(email=None, password=None, **fields):
    """What `create_user` would save, and the address confirmed."""
    user = User(email=(email or f"person{next(numbers)}@example.org").strip().lower(), **fields)
    user.set_password(password)
    return user, EmailAddress(user=user, email=user.email, verified=True, primary=True)


@prepared
def _choices(shape, *, name):
    return Specialty.objects.filter(name=name, is_choice=True).values_list(*columns_of(Specialty))[:1]


def make_specialty(name="Cardiovascular Disease", code=None, group=""):
    for found in _choices(None, name=name):
        return instance_of(Specialty, found)
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
    user, new = fields.pop("user", None), []
    if user is None:
        user, _ = new = _new_user(fields.pop("email", None), fields.pop("password", None))
    member = Member(user=user, handle=handles.check(handle or new_handle()), standing=standing)
    member.specialty = make_specialty(specialty) if isinstance(specialty, str) else specialty
    for name, value in fields.items():
        setattr(member, name, value)
    insert_together(*new, member, Handle(key=handles.key(member.handle), text=member.handle, member=member))
    return member
