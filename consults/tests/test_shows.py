"""Which kind of picture it is, as its author says."""

import pytest

from consults.check_forms import PictureForm
from consults.models import Image
from consults.tests.factories import make_draft, make_image
from consults.tests.test_writing_views import address, looked_at, no_burning

pytestmark = pytest.mark.django_db
__all__ = ["no_burning"]  # a fixture


def test_the_kind_stays_with_a_picture_that_is_sent(physician, physician_client, no_burning):
    draft = make_draft(physician)
    image = draft.images.get()
    sent = looked_at(draft, **{f"picture-{image.pk}-shows": "skin"})

    physician_client.post(address("check", draft), sent)

    image.refresh_from_db()
    assert (image.shows, image.state) == ("skin", Image.State.MASKED)


@pytest.mark.parametrize(("sent", "kept"), [("ekg", "ekg"), ("nonsense", ""), ("", "")])
def test_it_is_kept_while_the_author_goes_on_and_what_is_unknown_is_not_said(
    physician, physician_client, sent, kept
):
    draft = make_draft(physician)
    image = draft.images.get()

    physician_client.post(
        f"{address('check', draft)}?keep", looked_at(draft, **{f"picture-{image.pk}-shows": sent})
    )

    assert draft.images.get().shows == kept
    page = physician_client.get(address("check", draft)).content.decode()
    assert ('value="ekg" selected' in page) is (kept == "ekg")


def test_of_a_masked_picture_it_can_still_change(physician, physician_client):
    draft = make_draft(physician, image_state=Image.State.MASKED)
    image = draft.images.get()

    physician_client.post(
        f"{address('check', draft)}?keep", looked_at(draft, **{f"picture-{image.pk}-shows": "eye"})
    )

    assert draft.images.get().shows == "eye"


def test_a_dicom_file_in_several_windows_is_taken_for_a_ct(physician):
    draft = make_draft(physician, images=0)
    scan = make_image(draft=draft, windows=[["soft", "Soft tissue"], ["bone", "Bone"]])
    photo = make_image(draft=draft, place=2)
    scan.sort = "dicom"

    assert PictureForm(image=scan)["shows"].value() == "ct"
    assert PictureForm(image=photo)["shows"].value() == ""
