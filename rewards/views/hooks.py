"""Where providers knock. What they say is only a reason to ask them; their API says what is true."""

from django.http import Http404, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from rewards import providers
from rewards.providers.base import BadSignature, InDoubt
from rewards.services import reconciling


@csrf_exempt  # the sender is a provider's server; its signature says who it is
@require_POST
def stripe(request):
    return _hear(request, "stripe")


@csrf_exempt  # ditto
@require_POST
def paypal(request):
    return _hear(request, "paypal")


def _hear(request, name):
    """200 once it is taken in; 503 asks the provider to send it again."""
    provider = providers.of(name)
    if not provider.is_ready():
        raise Http404
    try:
        event = provider.event(request.headers, request.body)
        reconciling.take_in(provider, event)
    except BadSignature:
        return HttpResponse(status=400)
    except InDoubt:
        return HttpResponse(status=503)
    return HttpResponse(status=200)
