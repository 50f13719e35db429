"""What staff find of polls in the administration: nothing, and so nothing of anybody's vote."""

from django.apps import apps
from django.contrib import admin


def test_of_polls_nothing_is_there():
    assert not [model for model in admin.site._registry if model._meta.app_label == "polls"]


def test_no_permission_speaks_of_votes():
    of_votes = ("Ballot", "Receipt", "Ticket", "Tally", "Sight")

    assert [apps.get_model("polls", name)._meta.default_permissions for name in of_votes] == [()] * 5
