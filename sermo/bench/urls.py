"""The site's addresses and the empty page that others are compared with."""

from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.urls import path

from sermo.urls import handler400, handler403, handler404, handler500
from sermo.urls import urlpatterns as of_the_site

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


@login_required
def floor(request):
    """What no page can go below: the session, the member and the frame of every page, with nothing in it."""
    return render(request, "base.html")


urlpatterns = [path("bench/floor/", floor, name="bench_floor"), *of_the_site]
