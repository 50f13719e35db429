"""What observers know of a person, for the ledger of personal data."""

from collections.abc import Mapping

from accounts.leaving.ledger import DERIVED, NUMBER, OTHERS, OWNER, PLACE, SECRET, Entry, Fate, Person, Shown
from observers.models import Declaration

FIRMS = "a firm's own matter"
STANDS = "It stays, under nobody's name."


# Erasers


def take_back_declarations(person: Person) -> None:
    if person.member:
        Declaration.objects.filter(member=person.member).delete()


ERASERS = (take_back_declarations,)


def _all(fields: str, why: str) -> Mapping[str, str]:
    return dict.fromkeys(fields.split(), why)


def _firm(row):
    return row.firm.name


def _product(row):
    return row.product.name


ENTRIES = (
    Entry(
        "observers.ReadDay",
        "What firms read of yours",
        Fate.KEPT,
        "It says what firms did. Your posts belong to a former member by then.",
        path="author__user",
        load=("firm",),
        shown=(
            Shown("post", "post", lambda row: row.post_id),
            Shown("firm", "firm", _firm),
            "day",
            "way",
            "purpose",
            "reads",
        ),
        withheld={"id": NUMBER, "author": OWNER},
    ),
    Entry(
        "observers.Read",
        "The log behind what firms read",
        Fate.KEPT,
        "The log is never changed. It names the seat of a firm, and no reader or author.",
        withheld={
            "seat": OTHERS,
            **_all("id at firm question post way purpose", "stands, by day, with what firms read of yours"),
        },
    ),
    Entry(
        "observers.FirmBlock",
        "Firms and sectors you blocked",
        Fate.KEPT,
        "What you kept from a firm stays kept from it. The block belongs to a former member.",
        path="member__user",
        load=("firm",),
        shown=(Shown("firm", "firm", lambda row: row.firm and row.firm.name), "sector", "since"),
        withheld={"id": NUMBER, "member": OWNER},
    ),
    Entry(
        "observers.Declaration",
        "What you declared of makers",
        Fate.DELETED,
        "All of it goes.",
        path="member__user",
        load=("firm",),
        shown=(Shown("firm", "firm", _firm), "is_paid", "declared_at"),
        withheld={"id": NUMBER, "member": OWNER},
        eraser=take_back_declarations,
    ),
    Entry(
        "observers.CompanyQuestion",
        "What you asked makers",
        Fate.KEPT,
        STANDS,
        path="asker__user",
        load=("firm", "product"),
        shown=(
            Shown("product", "product", _product),
            Shown("firm", "firm", _firm),
            "text",
            "asked_at",
            "answer",
            "answered_at",
            "edited_at",
            "removed_at",
        ),
        withheld={
            "id": NUMBER,
            "asker": OWNER,
            "html": DERIVED,
            "due_at": DERIVED,
            "answered_by": OTHERS,
            "key": "the address at which the firm answers",
            "submission": "keeps a form from being sent twice",
        },
    ),
    Entry(
        "observers.CompanyRevision",
        "What makers' answers to you said before",
        Fate.KEPT,
        STANDS,
        path="question__asker__user",
        load=("question",),
        shown=(
            Shown("question", "question", lambda row: row.question.text),
            "number",
            "answer",
            "replaced_at",
        ),
        withheld={"id": NUMBER, "replaced_by": OTHERS},
    ),
    Entry(
        "observers.Mention",
        "Products in your posts",
        Fate.KEPT,
        "A part of the post.",
        path="post__author__user",
        load=("product",),
        shown=(Shown("post", "post", lambda row: row.post_id), Shown("product", "product", _product)),
        withheld={"id": NUMBER},
    ),
    Entry(
        "observers.Conflict",
        "Ties to makers under your posts",
        Fate.KEPT,
        "A part of the post, counted anew each night.",
        path="post__author__user",
        load=("product",),
        shown=(
            Shown("post", "post", lambda row: row.post_id),
            Shown("product", "product", _product),
            "said",
            "band",
            "as_of",
        ),
        withheld={"id": NUMBER},
    ),
    Entry(
        "observers.VoteFigure",
        "Votes on posts as firms read them",
        Fate.KEPT,
        "A part of the post.",
        withheld=_all("post corroborations disputes next_corroborations next_disputes", DERIVED),
    ),
    Entry(
        "observers.BlockFigure",
        "How many shut a firm out, as it reads that",
        Fate.KEPT,
        "Counts of all physicians, shown from eleven on and rounded.",
        withheld=_all("firm blocked physicians next_blocked next_physicians", DERIVED),
    ),
    Entry(
        "observers.ImportanceFigure",
        "Importance of discussions as firms read it",
        Fate.KEPT,
        "A part of the discussion.",
        withheld=_all("question raters total next_raters next_total", DERIVED),
    ),
    Entry(
        "observers.Seat",
        "Your seat",
        Fate.KEPT,
        "Whoever gives the seats of the firm ends it; accounts of observers do not leave by themselves.",
        path="user",
        load=("firm",),
        shown=(
            Shown("firm", "firm", _firm),
            "number",
            "name",
            "is_admin",
            "purpose",
            "taken_at",
            "ended_at",
        ),
        withheld={"id": NUMBER, "user": OWNER},
    ),
    Entry(
        "observers.SeatInvitation",
        "The invitation to your seat",
        Fate.KEPT,
        "It stays with the seat.",
        path="seat__user",
        load=("firm",),
        shown=(
            Shown("firm", "firm", _firm),
            "email",
            "name",
            "is_admin",
            "purpose",
            "invited_at",
            "expires_at",
            "accepted_at",
            "withdrawn_at",
        ),
        withheld={"id": NUMBER, "seat": OWNER, "invited_by": OTHERS, "token_hash": SECRET},
    ),
    Entry(
        "observers.RoomWatch",
        "Focus groups you may watch",
        Fate.KEPT,
        "It says what the seat may read, and names nobody.",
        path="seat__user",
        shown=(Shown("room", "group", lambda row: row.room_id), "since"),
        withheld={"id": NUMBER, "seat": OWNER, "by": OTHERS},
    ),
    Entry(
        "observers.BackRoomNote",
        "Notes you passed to moderators of focus groups",
        Fate.KEPT,
        "A firm's, under the number of the seat.",
        path="seat__user",
        shown=(
            Shown("room", "group", lambda row: row.room_id),
            Shown("prompt", "about", lambda row: row.prompt and row.prompt.text),
            "text",
            "at",
        ),
        load=("prompt",),
        withheld={"id": NUMBER, "seat": OWNER, "key": "keeps a form from being sent twice"},
    ),
    Entry(
        "observers.RoomRead",
        "Days on which you read in focus groups",
        Fate.KEPT,
        "Participants are shown the days, under no name.",
        path="seat__user",
        shown=(Shown("room", "group", lambda row: row.room_id), "day", "purpose"),
        withheld={"id": NUMBER, "seat": OWNER},
    ),
    Entry(
        "observers.AdverseEvent",
        "What makers must look at",
        Fate.KEPT,
        "A firm's, kept for its safety desk.",
        withheld=_all(
            "id firm product post read_at outcome has_reporter has_patient has_event has_product said_at seat",
            FIRMS,
        ),
    ),
    Entry(
        "observers.FirmSearch",
        "Searches that firms saved",
        Fate.KEPT,
        "A firm's, and no person's.",
        withheld=_all(
            "id firm seat name terms group kind solved since alert alerted_on known_until saved_at ended_at",
            FIRMS,
        ),
    ),
    Entry(
        "observers.SearchHit",
        "Posts that searches of firms have met",
        Fate.KEPT,
        "A firm's. That it was told of your post stands with what firms read of yours.",
        withheld=_all("id search post is_told met_at", FIRMS),
    ),
    Entry(
        "observers.Chart",
        "Charts that firms asked for",
        Fate.KEPT,
        "A firm's, and of eleven physicians at least in each cell.",
        withheld=_all("id search as_of state refused weeks totals asked_at done_at", FIRMS),
    ),
    Entry(
        "observers.Answered",
        "Of whom a cell of a chart was made",
        Fate.KEPT,
        "Keyed hashes, kept so that no later cell differs from it by a few; then they go.",
        withheld=_all("id firm chart cell people answered_on", "keyed hashes, not readable"),
    ),
    Entry(
        "observers.Export",
        "Files that firms took away",
        Fate.KEPT,
        "A firm's. That your post was in one stands with what firms read of yours.",
        withheld=_all("id firm seat search what reason purpose rows phrase key made_at", FIRMS),
    ),
    Entry(
        "observers.ExportedCase",
        "Which cases files of firms have posts of",
        Fate.KEPT,
        "Kept, so that a firm is told to destroy its file once a case is withdrawn.",
        withheld=_all("id export case", FIRMS),
    ),
    Entry(
        "observers.SeatEarmark",
        "Which seat placed an earmark",
        Fate.KEPT,
        "A firm's, and no person's.",
        withheld=_all("earmark seat note", FIRMS),
    ),
    Entry(
        "observers.IndustryPost",
        "Discussions that firms opened",
        Fate.KEPT,
        "A firm's, and no person's.",
        withheld=_all("question firm seat made_at key", FIRMS),
    ),
    Entry(
        "observers.Voice",
        "The row under which a firm stands among members",
        Fate.KEPT,
        "A firm's, and no person's.",
        withheld=_all("firm member", PLACE),
    ),
)
