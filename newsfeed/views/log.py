from django.http import Http404


def log(request):
    raise Http404


def log_add(request):
    raise Http404


def log_entry(request, entry_id):
    raise Http404


def log_csv(request):
    raise Http404


def log_print(request):
    raise Http404
