from django.http import Http404


def stripe(request, **kwargs):
    raise Http404


def paypal(request, **kwargs):
    raise Http404
