import io
import os
import time
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from PIL import Image, ImageChops

from conftest import client_of
from focusgroups.models import Participant, Room, Section, Stimulus
from focusgroups.services import guiding, seating, stimuli
from focusgroups.services.holding import NotYours, Over, Unfit
from focusgroups.tests.factories import (
    make_agreement,
    make_candidate,
    make_moderator,
    make_participant,
    make_prompt,
    make_room,
    make_running_room,
    make_section,
)
from sermo.tests.odd_images import PLANTED, exif, file_of, jpeg_claiming, moving, plain, textured
from verification.models import Event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("heard_alone", "private_files")]
WORDS = "Quiet harbor  group 12  2026-11-23"


@pytest.fixture
def by():
    return make_moderator()


@pytest.fixture
def prompt(by):
    """Of a draft."""
    return make_prompt(make_section(make_room(by)))


def pdf_of(pages, size=(300, 400)):
    sheets = [Image.new("RGB", size, (10 * number, 90, 90)) for number in range(pages)]
    return file_of(sheets[0], "PDF", save_all=True, append_images=sheets[1:])


def add(prompt, by, data=None, description="A dose curve.", **more):
    data = data or file_of(textured(), "PNG")
    return stimuli.add(prompt=prompt, by=by, data=data, description=description, **more)


def kept(prompt):
    return list(prompt.stimuli.values_list("place", "description"))


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def picture(jpeg):
    return Image.open(io.BytesIO(jpeg), formats=["JPEG"])


def deeds(room):
    return list(Event.objects.filter(object=f"room:{room.pk}").order_by("pk").values_list("kind", flat=True))


# Taken in


def test_a_picture_is_kept_drawn_anew_encrypted_and_under_a_random_name(prompt, by, private_files):
    sent = file_of(textured(), exif=exif(), comment=PLANTED) + PLANTED

    (stimulus,) = add(prompt, by, sent, " A dose curve. ")

    stimulus.refresh_from_db()
    assert (stimulus.width, stimulus.height, stimulus.description) == (320, 240, "A dose curve.")
    assert deeds(prompt.section.room) == ["room_stimulus"]
    (path,) = files_in(private_files)
    assert str(path.relative_to(private_files)) == stimulus.file
    sealed, plain_jpeg = path.read_bytes(), stimuli.read(stimulus)
    assert plain_jpeg.startswith(b"\xff\xd8")
    assert b"\xff\xd8" not in sealed
    assert PLANTED in sent
    assert PLANTED not in plain_jpeg + stimuli.watermarked(stimulus, WORDS)
    assert not picture(plain_jpeg).getexif()


def test_each_page_of_a_pdf_is_one(prompt, by):
    add(prompt, by)
    drawn = add(prompt, by, pdf_of(3), "The protocol.")
    add(prompt, by, pdf_of(2), "A label")

    assert kept(prompt) == [
        (0, "A dose curve."),
        (1, "The protocol. Page 1 of 3."),
        (2, "The protocol. Page 2 of 3."),
        (3, "The protocol. Page 3 of 3."),
        (4, "A label. Page 1 of 2."),
        (5, "A label. Page 2 of 2."),
    ]
    greens = [picture(stimuli.read(stimulus)).getpixel((50, 50))[0] for stimulus in drawn]
    assert greens == sorted(greens)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no picture", "Send a JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Send a JPEG"),
        (file_of(plain())[:600], "cannot be read"),
        (b"%PDF-1.7\nnothing in it, said at some length", "cannot be read"),
        (jpeg_claiming(60_000, 60_000), "too many pixels"),
        (file_of(plain(size=(199, 400))), "too small"),
        (moving("WEBP"), "several pictures"),
        (pdf_of(11), "more than 10 pages"),
    ],
)
def test_what_cannot_be_shown_is_refused_and_leaves_nothing(prompt, by, private_files, data, words):
    with pytest.raises(stimuli.UnreadableStimulus, match=words):
        add(prompt, by, data)

    assert not files_in(private_files)
    assert deeds(prompt.section.room) == []


def test_a_file_is_15_megabytes_at_most(prompt, by):
    with pytest.raises(stimuli.TooLarge):
        add(prompt, by, b"\xff\xd8\xff" + bytes(stimuli.LARGEST))


@pytest.mark.parametrize("description", ["", " ", "x" * 301])
def test_who_cannot_see_it_is_told_what_it_shows(prompt, by, description):
    with pytest.raises(Unfit) as refusal:
        add(prompt, by, description=description)

    assert refusal.value.field == "description"


def test_a_long_description_leaves_room_for_the_number_of_the_page(prompt, by, private_files):
    assert add(prompt, by, description="x" * 300)
    assert add(prompt, by, pdf_of(2), "x" * 286)

    with pytest.raises(Unfit, match="at most 286 characters"):
        add(prompt, by, pdf_of(2), "x" * 287)
    assert len(files_in(private_files)) == 3


def test_a_question_shows_twenty_at_most(prompt, by, private_files):
    Stimulus.objects.bulk_create(
        Stimulus(prompt=prompt, place=place, description="One.", file=f"{place}", width=1, height=1)
        for place in range(18)
    )

    with pytest.raises(stimuli.TooManyStimuli):
        add(prompt, by, pdf_of(3))
    assert not files_in(private_files)
    assert len(add(prompt, by, pdf_of(2))) == 2


# Moved and removed


def test_pictures_are_moved_and_removed_with_their_files(
    prompt, by, private_files, django_capture_on_commit_callbacks
):
    (one,), (two,), (three,) = (add(prompt, by, description=words) for words in ("One.", "Two.", "Three."))
    stimuli.move(stimulus=three, by=by, up=True)
    stimuli.move(stimulus=one, by=by, up=False)
    assert kept(prompt) == [(0, "Three."), (1, "One."), (2, "Two.")]

    with django_capture_on_commit_callbacks(execute=True):
        stimuli.remove(stimulus=one, by=by)

    assert kept(prompt) == [(0, "Three."), (1, "Two.")]
    assert {path.name for path in files_in(private_files)} == {
        os.path.basename(each.file) for each in (two, three)
    }


@pytest.mark.parametrize(
    "delete",
    [
        lambda prompt, by: guiding.delete_prompt(prompt=prompt, by=by),
        lambda prompt, by: guiding.delete_section(section=prompt.section, by=by),
    ],
)
def test_files_go_with_their_question(prompt, by, private_files, delete, django_capture_on_commit_callbacks):
    add(prompt, by, pdf_of(2))
    (other,) = add(make_prompt(make_section(prompt.section.room)), by)

    with django_capture_on_commit_callbacks(execute=True):
        delete(prompt, by)

    assert [path.name for path in files_in(private_files)] == [os.path.basename(other.file)]


ACTS = {
    "add": lambda stimulus, by: add(stimulus.prompt, by),
    "move": lambda stimulus, by: stimuli.move(stimulus=stimulus, by=by, up=True),
    "remove": lambda stimulus, by: stimuli.remove(stimulus=stimulus, by=by),
}


@pytest.mark.parametrize("act", ACTS)
def test_a_moderator_of_another_room_changes_nothing(prompt, by, act, private_files):
    (stimulus,) = add(prompt, by)

    with pytest.raises(NotYours):
        ACTS[act](stimulus, make_moderator())

    assert len(files_in(private_files)) == 1


@pytest.mark.parametrize(("change", "refusal"), [("open", guiding.Opened), ("over", Over)])
@pytest.mark.parametrize("act", ACTS)
def test_what_participants_read_already_is_fixed(prompt, by, act, change, refusal):
    add(prompt, by)
    now = timezone.now()
    Room.objects.update(published_at=now, closed_at=now if change == "over" else None)

    with pytest.raises(refusal):
        ACTS[act](Stimulus.objects.get(), by)


def test_a_section_that_opens_while_a_file_is_drawn_takes_none(prompt, by, private_files, monkeypatch):
    def draw(data):
        Room.objects.update(published_at=timezone.now())
        return [data]

    monkeypatch.setattr("sermo.images.draw_pages", draw)

    with pytest.raises(guiding.Opened):
        add(prompt, by, file_of(plain()))

    assert not files_in(private_files)


def test_files_that_nobody_knows_are_swept_a_day_later(prompt, by, private_files):
    add(prompt, by)
    orphans = [private_files / stimuli.FOLDER / "ab" / name for name in ("ab" * 16, "ac" * 16, "odd")]
    for path in orphans:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sealed")
    old = time.time() - timedelta(days=2).total_seconds()
    for path in (*files_in(private_files), orphans[0], orphans[2]):
        os.utime(path, (old, old))
    os.utime(orphans[1])

    stimuli.sweep_files()

    assert [path.exists() for path in orphans] == [False, True, False]
    assert len(files_in(private_files)) == 2


# The watermark


def noise():
    return textured((600, 450))


GROUNDS = {
    "white": lambda: plain(size=(600, 450), color="white"),
    "black": lambda: plain(size=(600, 450), color="black"),
    "gray": lambda: plain(size=(600, 450), color=(128, 128, 128)),
    "red": lambda: plain(size=(600, 450), color=(200, 30, 30)),
    "noise": noise,
    "tall": lambda: plain(size=(250, 1_200), color="white"),
    "wide": lambda: plain(size=(1_600, 220), color="black"),
    "large": lambda: plain(size=(2_200, 1_700), color="white"),
}


@pytest.mark.parametrize("ground", GROUNDS)
def test_the_mark_shows_all_over_on_any_ground_and_hides_little(prompt, by, ground):
    (stimulus,) = add(prompt, by, file_of(GROUNDS[ground](), "PNG"))

    marked = picture(stimuli.watermarked(stimulus, WORDS)).convert("L")
    before = picture(stimuli.read(stimulus)).convert("L")

    assert marked.size == before.size
    for box in quarters(marked.size):
        changed = ImageChops.difference(marked.crop(box), before.crop(box)).histogram()
        share = sum(changed[40:]) / sum(changed)
        assert 0.01 < share < 0.25, (box, share)


def quarters(size):
    width, height = size[0] // 2, size[1] // 2
    return [(x * width, y * height, (x + 1) * width, (y + 1) * height) for x in (0, 1) for y in (0, 1)]


def test_who_looks_can_be_told_from_the_picture(prompt, by):
    (stimulus,) = add(prompt, by)

    one, other = (stimuli.watermarked(stimulus, words) for words in (WORDS, WORDS.replace("Quiet", "Rusty")))

    assert ImageChops.difference(picture(one), picture(other)).getbbox()
    assert one == stimuli.watermarked(stimulus, WORDS)


# Served


def test_of_two_at_once_with_one_form_the_file_of_the_second_goes(by, private_files, monkeypatch):
    """Both have drawn before either keeps what it drew."""
    prompt, form = make_prompt(make_section(make_room(by))), uuid.uuid4()
    first, draw = [], stimuli.images.draw_pages

    def draw_while_another_is_kept(data):
        if not first:
            first.append(None)
            first[:] = add(prompt, by, submission=form)
        return draw(data)

    monkeypatch.setattr(stimuli.images, "draw_pages", draw_while_another_is_kept)

    assert add(prompt, by, submission=form) == first

    assert prompt.stimuli.count() == 1
    assert [path.name for path in files_in(private_files)] == [os.path.basename(first[0].file)]
    assert stimuli.read(first[0])


@pytest.fixture
def room(by):
    """One section is open, another opens tomorrow; both show a picture."""
    room = make_running_room(by=by, sections=2, released=1, prompts=1)
    Room.objects.filter(pk=room.pk).update(published_at=None)
    for section in room.sections.all():
        add(section.prompts.get(), by)
    Room.objects.filter(pk=room.pk).update(published_at=room.published_at)
    return room


@pytest.fixture
def participant(room):
    return make_participant(room)


def of_section(room, place):
    return Stimulus.objects.get(prompt__section__room=room, prompt__section__place=place)


def look(client, room, stimulus):
    return client.get(reverse("focusgroups:stimulus", args=[room.pk, stimulus.key]))


def test_participants_see_what_is_open_with_their_alias_on_it(room, participant, monkeypatch):
    asked = []
    monkeypatch.setattr(stimuli, "watermarked", lambda found, words: asked.append((found, words)) or b"jpeg")

    response = look(client_of(participant.member), room, of_section(room, 0))

    today = room.in_its_zone(timezone.now())
    assert response.status_code == 200
    assert asked == [(of_section(room, 0), f"{participant.alias}  group {room.pk}  {today:%Y-%m-%d}")]
    assert participant.member.handle not in asked[0][1]


def test_nothing_keeps_a_picture_and_nothing_offers_to(room, participant):
    response = look(client_of(participant.member), room, of_section(room, 0))

    assert response["Content-Type"] == "image/jpeg"
    assert response["Cache-Control"] == "private, no-store"
    assert response["Content-Disposition"] == "inline"
    assert response["Content-Security-Policy"] == "sandbox"
    assert response.content != stimuli.read(of_section(room, 0))
    assert picture(response.content).size == (320, 240)


def test_what_is_not_open_yet_is_not_there(room, participant):
    client, later = client_of(participant.member), of_section(room, 1)
    assert look(client, room, later).status_code == 404

    Section.objects.filter(pk=later.prompt.section_id).update(opens_at=timezone.now())
    assert look(client, room, later).status_code == 200


def test_a_section_without_a_time_is_not_there(room, participant):
    Section.objects.update(opens_at=None, due_at=None)

    assert look(client_of(participant.member), room, of_section(room, 0)).status_code == 404


def outsiders(room, by):
    other = make_running_room(prompts=1)
    return {
        "a participant of another room": make_participant(other).member,
        "who is asked": make_candidate(room).member,
        "who waits": make_candidate(room, state="waiting").member,
        "who was screened out": make_candidate(room, state="screened_out").member,
        "another moderator": other.moderators.get().user,
        "the moderator, outside of the administration": by,
    }


def test_nobody_else_is_told_that_there_is_a_picture(room, by, client, physician, applicant):
    stimulus = of_section(room, 0)
    others = {**outsiders(room, by), "a colleague": physician, "an applicant": applicant}

    found = {words: look(client_of(who), room, stimulus).status_code for words, who in others.items()}
    found["a visitor"] = look(client, room, stimulus).status_code

    assert set(found.values()) == {404}, found


def test_a_picture_of_one_room_is_not_in_another(room):
    other = make_running_room(prompts=1)
    participant = make_participant(other)

    assert look(client_of(participant.member), other, of_section(room, 0)).status_code == 404


@pytest.mark.parametrize("way", Participant.Leaving.values)
def test_a_lost_seat_holds_from_the_next_look_on(room, participant, way):
    client = client_of(participant.member)
    assert look(client, room, of_section(room, 0)).status_code == 200

    Participant.objects.filter(pk=participant.pk).update(
        left_at=timezone.now(), left_as=way, left_why="Named a patient." if way == "removed" else ""
    )

    assert look(client, room, of_section(room, 0)).status_code == 404


def test_a_lost_standing_holds_from_the_next_look_on(room, participant):
    client = client_of(participant.member)
    participant.member.standing = "suspended"
    participant.member.save()

    assert look(client, room, of_section(room, 0)).status_code == 404


def test_a_new_version_of_the_agreement_is_accepted_before_the_next_look(room, participant):
    client, stimulus = client_of(participant.member), of_section(room, 0)
    address = reverse("focusgroups:stimulus", args=[room.pk, stimulus.key])
    section = reverse("focusgroups:section", args=[room.pk, 0])
    newest = make_agreement(room, "Nobody copies anything.")

    assert look(client, room, stimulus).status_code == 404
    page = client.get(section).content.decode()
    assert address not in page
    assert "It shows pictures." in page

    seating.accept_again(participant=participant, agreement=newest)

    assert look(client, room, stimulus).status_code == 200
    assert address in client.get(section).content.decode()


def test_who_did_not_accept_it_before_the_end_still_sees_pictures_after(room, participant):
    make_agreement(room, "Nobody copies anything.")
    Room.objects.filter(pk=room.pk).update(closed_at=timezone.now())

    assert look(client_of(participant.member), room, of_section(room, 0)).status_code == 200


def test_a_draft_shows_nothing_to_participants(room, participant):
    Room.objects.filter(pk=room.pk).update(published_at=None)

    assert look(client_of(participant.member), room, of_section(room, 0)).status_code == 404


def test_a_file_that_is_gone_is_not_there(room, participant, private_files):
    for path in files_in(private_files):
        path.unlink()

    assert look(client_of(participant.member), room, of_section(room, 0)).status_code == 404


def test_a_look_changes_nothing(room, participant):
    client = client_of(participant.member)

    response = client.post(reverse("focusgroups:stimulus", args=[room.pk, of_section(room, 0).key]))

    assert response.status_code == 405


def test_a_look_takes_few_queries(room, participant, django_assert_max_num_queries):
    client, stimulus = client_of(participant.member), of_section(room, 0)

    with django_assert_max_num_queries(6):
        look(client, room, stimulus)


def test_a_second_look_is_not_drawn_anew_and_never_shared(room, participant, monkeypatch):
    drawn, mark = [], stimuli._marked
    monkeypatch.setattr(stimuli, "_marked", lambda page, words: drawn.append(words) or mark(page, words))
    stimulus, other = of_section(room, 0), make_participant(room)

    first, again = (look(client_of(participant.member), room, stimulus).content for _ in range(2))
    of_another = look(client_of(other.member), room, stimulus).content

    assert first == again != of_another
    assert [words.split("  ")[0] for words in drawn] == [participant.alias, other.alias]


def test_a_marked_picture_is_kept_encrypted_and_a_short_time(room, participant, monkeypatch):
    kept = {}
    monkeypatch.setattr(
        stimuli.cache, "set", lambda key, value, seconds: kept.update({key: (value, seconds)}), raising=False
    )

    look(client_of(participant.member), room, of_section(room, 0))

    ((key, (sealed, seconds)),) = kept.items()
    assert b"\xff\xd8" not in sealed
    assert seconds <= 120
    assert participant.alias not in key


def test_what_was_drawn_is_not_shown_once_its_file_is_gone(room, participant, private_files):
    client, stimulus = client_of(participant.member), of_section(room, 0)
    assert look(client, room, stimulus).status_code == 200

    for path in files_in(private_files):
        path.unlink()
    assert look(client, room, stimulus).status_code == 404


# In the administration


def look_at_desk(client, room, stimulus):
    return client.get(reverse("admin:focusgroups_room_stimulus", args=[room.pk, stimulus.key]))


@pytest.mark.parametrize("place", [0, 1])
def test_moderators_see_all_sections_with_their_number_on_them(room, by, place, monkeypatch):
    asked = []
    monkeypatch.setattr(stimuli, "watermarked", lambda found, words: asked.append(words) or b"jpeg")

    response = look_at_desk(client_of(by), room, of_section(room, place))

    assert (response.status_code, response.content) == (200, b"jpeg")
    assert "no-store" in response["Cache-Control"]
    assert asked[0].startswith(f"moderator {by.pk}  group {room.pk}  ")


def test_other_moderators_see_none_of_them(room):
    other = make_moderator()
    own = make_room(other)

    assert look_at_desk(client_of(other), room, of_section(room, 0)).status_code == 404
    assert look_at_desk(client_of(other), own, of_section(room, 0)).status_code == 404


def test_participants_see_none_of_them_there(room, participant):
    response = look_at_desk(client_of(participant.member), room, of_section(room, 0))

    assert response.status_code in (302, 403, 404)
    assert response["Content-Type"] != "image/jpeg"
