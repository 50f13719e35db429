"""The door of what only a POST may do."""

from functools import wraps

from django.contrib import messages
from django.http import HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from questions.models import Post


def post_or_back(view):
    """POST goes through; a GET, mostly from logging in again, changes nothing and leads to where the form stands."""

    @wraps(view)
    def door(request, **kwargs):
        if request.method == "POST":
            return view(request, **kwargs)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["POST"])
        messages.warning(request, "Nothing was sent. Send it again from here.")
        return redirect(_place(request, **kwargs))

    return door


def _place(request, question_id=None, post_id=None, **_):
    if question_id is not None:
        return reverse("questions:question_short", args=[question_id])
    if post_id is not None:
        rows = Post.objects.visible_to(request.user).select_related("question")
        return get_object_or_404(rows, pk=post_id).get_absolute_url()
    return reverse("questions:drafts")
