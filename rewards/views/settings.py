from django.http import Http404


def money(request, **kwargs):
    raise Http404


def method(request, **kwargs):
    raise Http404


def w9(request, **kwargs):
    raise Http404


def affiliations(request, **kwargs):
    raise Http404
