from django.http import Http404


def rows(request, **kwargs):
    raise Http404


def dispute(request, **kwargs):
    raise Http404
