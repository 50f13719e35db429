from django.http import Http404


def left(request, key):
    raise Http404
