from django.http import Http404


def days(request, **kwargs):
    raise Http404


def draw(request, **kwargs):
    raise Http404
