"""Answers to what is sent come no sooner than others; what is only read is never held up."""

import time

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from sermo.pace import paced


@paced
def view(request):
    if request.GET.get("broken"):
        raise LookupError
    time.sleep(float(request.GET.get("works", 0)))
    return HttpResponse()


def seconds(request) -> float:
    began = time.monotonic()
    view(request)
    return time.monotonic() - began


def test_what_is_sent_waits(settings):
    settings.NEUTRAL_SECONDS = 0.2

    assert seconds(RequestFactory().post("/")) >= 0.2


def test_work_counts_as_waiting(settings):
    settings.NEUTRAL_SECONDS = 0.5

    assert 0.5 <= seconds(RequestFactory().post("/?works=0.4")) < 0.85


def test_what_is_read_does_not_wait(settings):
    settings.NEUTRAL_SECONDS = 5

    assert seconds(RequestFactory().get("/")) < 1


def test_a_failure_waits_too(settings):
    settings.NEUTRAL_SECONDS = 0.2
    began = time.monotonic()

    with pytest.raises(LookupError):
        view(RequestFactory().post("/?broken=1"))

    assert time.monotonic() - began >= 0.2
