"""Pictures beside a handle and beside a name, and that the two never meet."""

import io
import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from PIL import Image, ImageDraw

from accounts import pictures as looks
from accounts.models import Block, Face, Member, Picture
from accounts.services import pictures, profiles
from accounts.tests.factories import make_member
from conftest import client_of
from questions.models import Byline
from questions.signature import signature
from sermo import crypto

PAGE = "/settings/pictures/"


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    """Pictures of tests go into a folder of their own."""
    private = {**settings.STORAGES["private"], "OPTIONS": {"location": tmp_path, "base_url": None}}
    settings.STORAGES = {**settings.STORAGES, "private": private}
    return tmp_path


@pytest.fixture
def named(db):
    """A member whose posts are signed with the real name."""
    return make_member("left_atrium", byline_mode="public", display_name="Ada Quill")


def drawing(seed=0, size=300, **options):
    """A picture of its own for each seed."""
    image = Image.linear_gradient("L").resize((300, 300)).rotate(90 * seed).convert("RGB")
    left = 20 + 60 * (seed % 4)
    ImageDraw.Draw(image).ellipse((left, 60, left + 90, 150), fill=(250, 240, 220))
    out = io.BytesIO()
    image.resize((size, size)).save(out, options.pop("file_format", "PNG"), **options)
    return out.getvalue()


def send(member, face=Face.HANDLE, seed=0):
    picture = pictures.send_picture(member=member, face=face, data=drawing(seed))
    member.refresh_from_db()
    return picture


def files_in(folder: Path):
    return [path for path in folder.rglob("*") if path.is_file()]


def post(client, **form):
    return client.post(PAGE, {"face": "handle", **form})


def upload(name="me.png", data=None):
    return SimpleUploadedFile(name, drawing() if data is None else data, content_type="image/png")


# What is kept


def test_an_upload_is_kept_encrypted_under_a_random_key(named, private_files):
    picture = send(named)

    (file,) = files_in(private_files)
    assert re.fullmatch(r"[0-9a-f]{32}", picture.key)
    assert file.name == picture.key == named.handle_picture
    assert not file.read_bytes().startswith(b"\xff\xd8")
    assert Image.open(io.BytesIO(crypto.decrypt(file.read_bytes()))).size == (256, 256)


def test_a_new_upload_gets_a_new_key_and_the_file_before_goes(
    named, private_files, django_capture_on_commit_callbacks
):
    before = send(named)

    with django_capture_on_commit_callbacks(execute=True):
        after = send(named, seed=1)

    assert after.key != before.key
    assert [file.name for file in files_in(private_files)] == [after.key]
    assert Picture.objects.get() == after


def test_the_same_picture_sent_by_two_members_has_two_addresses(named, colleague):
    assert send(named).key != send(colleague).key


def test_removing_deletes_the_file_once_it_is_committed(
    named, private_files, django_capture_on_commit_callbacks
):
    send(named)

    with django_capture_on_commit_callbacks() as later:
        pictures.remove_picture(member=named, face=Face.HANDLE)
        assert len(files_in(private_files)) == 1
    for deed in later:
        deed()

    named.refresh_from_db()
    assert named.handle_picture == ""
    assert not files_in(private_files)
    assert not Picture.objects.exists()


def test_a_drawing_takes_the_place_of_an_upload(named, private_files, django_capture_on_commit_callbacks):
    send(named)

    with django_capture_on_commit_callbacks(execute=True):
        pictures.choose_stock(member=named, face=Face.HANDLE, name="lattice")

    named.refresh_from_db()
    assert named.handle_picture == "stock:lattice"
    assert not files_in(private_files)


def test_a_refused_upload_leaves_nothing_and_keeps_the_one_before(named, private_files):
    before = send(named, Face.NAME, seed=1)
    kept = send(named, Face.HANDLE, seed=0)

    with pytest.raises(pictures.AlikeOnBothFaces):
        send(named, Face.HANDLE, seed=1)

    assert {file.name for file in files_in(private_files)} == {before.key, kept.key}
    named.refresh_from_db()
    assert named.handle_picture == kept.key


def test_files_that_no_picture_knows_are_swept_after_a_day(named, private_files):
    for seed in (0, 1):
        send(named, seed=seed)
    Picture.objects.all().delete()
    assert pictures.sweep_files() == 0

    yesterday = (timezone.now() - timedelta(days=1, minutes=5)).timestamp()

    for file in files_in(private_files):
        os.utime(file, (yesterday, yesterday))
    assert pictures.sweep_files() == 2
    assert not files_in(private_files)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"GIF89a" + b"\0" * 90, "Send a JPEG, PNG or WebP image."),
        (b"%PDF-1.7", "Send a JPEG, PNG or WebP image."),
        (drawing()[:900], "cannot be read"),
        (drawing(size=100), "too small"),
        (
            drawing(
                file_format="WEBP", save_all=True, append_images=[Image.new("RGB", (300, 300))], duration=9
            ),
            "does not move",
        ),
    ],
    ids=["gif", "pdf", "truncated", "small", "animated"],
)
def test_what_is_no_picture_is_refused_in_words(named, data, message):
    with pytest.raises(pictures.UnreadablePicture, match=message):
        pictures.send_picture(member=named, face=Face.HANDLE, data=data)


def test_a_file_over_the_limit_is_refused_before_it_is_read(named, monkeypatch):
    monkeypatch.setattr(pictures, "LARGEST", 1000)

    with pytest.raises(pictures.TooLarge):
        pictures.send_picture(member=named, face=Face.HANDLE, data=b"\0" * 1001)


def test_twenty_uploads_a_day_are_enough_the_refused_among_them(named):
    for _ in range(20):
        with pytest.raises(pictures.UnreadablePicture):
            pictures.send_picture(member=named, face=Face.HANDLE, data=b"nothing")

    with pytest.raises(pictures.TooManyUploads):
        send(named)


def test_an_unknown_drawing_is_refused(named):
    with pytest.raises(pictures.UnknownPicture):
        pictures.choose_stock(member=named, face=Face.HANDLE, name="../../site")


# The two faces


@pytest.mark.parametrize("first", list(Face))
def test_an_upload_like_the_picture_of_the_other_face_is_refused(named, first):
    other = looks.other_face(first)
    send(named, first)
    smaller = drawing(size=200, file_format="JPEG", quality=60)

    with pytest.raises(
        pictures.AlikeOnBothFaces, match=f"the picture beside your {pictures.BESIDE[first]}. Two alike"
    ):
        pictures.send_picture(member=named, face=other, data=smaller)

    assert Picture.objects.count() == 1


def test_different_pictures_stand_beside_the_two_faces_at_unrelated_addresses(named):
    handle, name = send(named, Face.HANDLE, 0), send(named, Face.NAME, 1)

    assert handle.key != name.key
    assert looks.picture_url(named, Face.HANDLE) == f"/pictures/{handle.key}/"
    assert looks.picture_url(named, Face.NAME) == f"/pictures/{name.key}/"


def test_an_upload_may_be_replaced_by_one_like_itself(named):
    send(named)

    assert send(named).key == named.handle_picture


def test_two_members_may_have_pictures_that_look_alike(named, colleague):
    send(named)

    assert send(colleague)


@pytest.mark.parametrize("first", list(Face))
def test_the_same_drawing_on_both_faces_is_refused(named, first):
    pictures.choose_stock(member=named, face=first, name="waves")

    with pytest.raises(pictures.AlikeOnBothFaces, match=f"beside your {pictures.BESIDE[first]}"):
        pictures.choose_stock(member=named, face=looks.other_face(first), name="waves")


def test_the_database_refuses_one_picture_on_both_faces(named):
    with pytest.raises(IntegrityError, match="member_faces_differ_in_picture"), transaction.atomic():
        Member.objects.filter(pk=named.pk).update(handle_picture="stock:waves", name_picture="stock:waves")


def test_a_face_has_one_upload(named):
    send(named)

    with pytest.raises(IntegrityError, match="picture_one_per_face"), transaction.atomic():
        Picture.objects.create(member=named, face=Face.HANDLE, likeness="0" * 64)


def test_a_hidden_name_gets_no_picture(physician):
    with pytest.raises(pictures.NameNotShown):
        send(physician, Face.NAME)
    with pytest.raises(pictures.NameNotShown):
        pictures.choose_stock(member=physician, face=Face.NAME, name="waves")


@pytest.mark.parametrize("mode", ["anonymous", "partial"])
def test_hiding_the_name_removes_its_picture_and_keeps_the_handle_s(
    named, mode, private_files, django_capture_on_commit_callbacks
):
    kept = send(named, Face.HANDLE, 0)
    send(named, Face.NAME, 1)

    with django_capture_on_commit_callbacks(execute=True):
        profiles.choose_byline(member=named, mode=mode)

    named.refresh_from_db()
    assert (named.handle_picture, named.name_picture) == (kept.key, "")
    assert [file.name for file in files_in(private_files)] == [kept.key]


def test_showing_the_name_gives_it_no_picture(physician):
    send(physician)

    profiles.choose_byline(member=physician, mode="public", display_name="Ada Quill")

    physician.refresh_from_db()
    assert physician.name_picture == ""
    assert looks.picture_url(physician, Face.NAME) == ""


# Who is shown it


def test_colleagues_are_shown_an_upload_and_nothing_may_keep_it(named, colleague_client):
    answer = colleague_client.get(f"/pictures/{send(named).key}/")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox"
    assert Image.open(io.BytesIO(answer.content)).size == (256, 256)


def test_nobody_but_readers_is_shown_an_upload(named, client, applicant_client, staff):
    address = f"/pictures/{send(named).key}/"

    assert client.get(address).url == f"{reverse('account_login')}?next={address}"
    assert applicant_client.get(address).status_code == 404
    assert client_of(make_member(standing="suspended")).get(address).status_code == 404


def test_the_owner_is_shown_it_at_any_standing(applicant, applicant_client):
    assert applicant_client.get(f"/pictures/{send(applicant).key}/").status_code == 200
    assert looks.picture_url(applicant, Face.HANDLE) == ""


@pytest.mark.parametrize("blocker_is_owner", [True, False])
@pytest.mark.parametrize("blocked_face", list(Face))
def test_a_block_hides_the_picture_of_that_face_alone(
    named, colleague, colleague_client, blocked_face, blocker_is_owner
):
    keys = {face: send(named, face, seed).key for seed, face in enumerate(Face)}
    if blocker_is_owner:
        Block.objects.create(
            blocker=named, blocker_face=blocked_face, blocked=colleague, blocked_face=Face.HANDLE
        )
    else:
        Block.objects.create(
            blocker=colleague, blocker_face=Face.HANDLE, blocked=named, blocked_face=blocked_face
        )

    found = {face: colleague_client.get(f"/pictures/{key}/").status_code for face, key in keys.items()}

    assert found == {blocked_face: 404, looks.other_face(blocked_face): 200}


def test_a_suspended_member_s_picture_is_not_shown(named, colleague_client):
    picture = send(named)
    Member.objects.filter(pk=named.pk).update(standing="suspended")
    named.refresh_from_db()

    assert colleague_client.get(f"/pictures/{picture.key}/").status_code == 404
    assert looks.picture_url(named, Face.HANDLE) == ""


def test_a_removed_picture_and_an_unknown_key_look_the_same(
    named, colleague_client, django_capture_on_commit_callbacks
):
    picture = send(named)
    with django_capture_on_commit_callbacks(execute=True):
        pictures.remove_picture(member=named, face=Face.HANDLE)

    gone = colleague_client.get(f"/pictures/{picture.key}/")
    never = colleague_client.get(f"/pictures/{'0' * 32}/")

    assert (gone.status_code, never.status_code) == (404, 404)


def test_a_lost_file_is_a_missing_page_and_no_fault(named, colleague_client, private_files):
    picture = send(named)
    for file in files_in(private_files):
        file.unlink()

    assert colleague_client.get(f"/pictures/{picture.key}/").status_code == 404


# Drawings


def test_the_drawings_are_small_and_hold_nothing_but_shapes():
    folder = site_settings.BASE_DIR / "static/img/avatars"

    assert {path.stem for path in folder.iterdir()} == set(looks.STOCK_PICTURES)
    assert len(looks.STOCK_PICTURES) == 24
    for path in folder.iterdir():
        text = path.read_text()
        assert len(text) < 1000
        assert not re.search(r"<script|style|href|on\w+=|<image|<text", text), path.name


def test_all_who_chose_a_drawing_have_it_at_one_address(named, colleague):
    for member in (named, colleague):
        pictures.choose_stock(member=member, face=Face.HANDLE, name="dots")
        member.refresh_from_db()

    assert looks.picture_url(named, Face.HANDLE) == "/static/img/avatars/dots.svg"
    assert looks.picture_url(colleague, Face.HANDLE) == looks.picture_url(named, Face.HANDLE)


# Bylines and pages


def test_a_byline_has_the_picture_of_its_own_face_alone(named, django_assert_num_queries):
    handle, name = send(named, Face.HANDLE, 0), send(named, Face.NAME, 1)
    named = Member.objects.select_related("specialty", "rank").get(pk=named.pk)

    with django_assert_num_queries(0):
        found = {mode: signature(mode, named).picture for mode in Byline.Mode.values}

    assert found == {
        "anonymous": f"/pictures/{handle.key}/",
        "partial": f"/pictures/{handle.key}/",
        "public": f"/pictures/{name.key}/",
        "masked": "",
        "house": "",
        "firm": "",
    }


def test_a_former_member_has_no_picture(named):
    send(named)
    named.user_id = None

    assert {signature(mode, named).picture for mode in Byline.Mode.values} == {""}


def test_the_pages_of_the_two_faces_show_their_own_picture_and_not_the_other(named, colleague_client):
    handle, name = send(named, Face.HANDLE, 0), send(named, Face.NAME, 1)

    page_of_handle = colleague_client.get(named.get_absolute_url()).content.decode()
    page_of_name = colleague_client.get(named.physician_url).content.decode()

    assert f'<img class="tile" src="/pictures/{handle.key}/" alt="">' in page_of_handle
    assert name.key not in page_of_handle
    assert f'<img class="tile" src="/pictures/{name.key}/" alt="">' in page_of_name
    assert handle.key not in page_of_name


def test_without_a_picture_two_letters_stand_there(named, colleague_client):
    assert (
        '<span class="tile" aria-hidden="true">LA</span>'
        in colleague_client.get(named.get_absolute_url()).content.decode()
    )


# The settings page


def test_a_drawing_is_chosen_on_the_page(physician, physician_client):
    assert post(physician_client, act="stock", picture="peaks").url == PAGE

    physician.refresh_from_db()
    assert physician.handle_picture == "stock:peaks"
    html = physician_client.get(PAGE).content.decode()
    assert re.search(r'value="peaks"[^>]*checked', html)
    assert '<img class="tile" src="/static/img/avatars/peaks.svg" alt="">' in html


def test_a_picture_is_sent_on_the_page_and_removed_again(physician, physician_client):
    assert post(physician_client, act="upload", file=upload()).url == PAGE
    physician.refresh_from_db()
    assert len(physician.handle_picture) == 32

    assert post(physician_client, act="remove").url == PAGE
    assert post(physician_client, act="remove").url == PAGE
    physician.refresh_from_db()
    assert physician.handle_picture == ""


def test_refusals_stand_beside_their_field(named):
    client = client_of(named)
    client.post(PAGE, {"face": "name", "act": "upload", "file": upload()})

    page = client.post(PAGE, {"face": "handle", "act": "upload", "file": upload()})

    assert page.status_code == 422
    html = page.content.decode()
    error = html.split('id="id_handle_file_error"')[1]
    assert "This looks like the picture beside your name." in error[:400]
    assert 'id="id_name_file_error"' not in html


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"act": "stock"}, "Choose one of the pictures."),
        ({"act": "stock", "picture": "nothing"}, "not one of the available choices"),
        ({"act": "upload"}, "Choose a file."),
    ],
)
def test_a_form_that_lacks_something_says_what(physician_client, form, words):
    page = post(physician_client, **form)

    assert page.status_code == 422
    assert words in page.content.decode()


def test_a_file_over_the_limit_is_not_stored_while_it_comes_in(physician_client, monkeypatch):
    monkeypatch.setattr("accounts.views.pictures.LARGEST", 1000)

    page = post(physician_client, act="upload", file=upload(data=b"\xff\xd8\xff" + b"\0" * 5000))

    assert page.status_code == 422
    assert "larger than 15 MB" in page.content.decode()


def test_the_page_wants_the_form_s_token(physician):
    client = client_of(physician)
    client.handler.enforce_csrf_checks = True

    assert post(client, act="stock", picture="peaks").status_code == 403


def test_a_hidden_name_has_no_form_and_a_forged_one_does_nothing(physician, physician_client):
    html = physician_client.get(PAGE).content.decode()
    assert 'value="name"' not in html

    physician_client.post(PAGE, {"face": "name", "act": "stock", "picture": "peaks"})
    physician.refresh_from_db()
    assert physician.name_picture == ""


def test_the_page_warns_of_pictures_that_give_one_away(named):
    html = client_of(named).get(PAGE).content.decode()

    assert "No picture of yourself" in html
    assert "None that ever stood beside your handle" in html


def test_the_page_costs_few_queries(named, django_assert_max_num_queries):
    send(named)
    client = client_of(named)

    with django_assert_max_num_queries(8):
        assert client.get(PAGE).status_code == 200
