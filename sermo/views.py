"""The roof: pages that compose the whole site, health, and the pages for what went wrong."""

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import login
from django.core.cache import caches
from django.db import DatabaseError, connection
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.exceptions import TemplateDoesNotExist
from django.template.loader import get_template, render_to_string
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from accounts.demo_logins import DEMO_LOGINS, DEMO_PASSWORD
from accounts.models import User
from accounts.roles import OBSERVERS, groups_of, is_moderator
from observers.services import seating
from questions.rows import Open, Waiting, first_rows
from questions.services import asking
from sermo.celery import app as celery_app
from verification.demo import APPLICANT

TOPICS = ("verification", "ranks", "rewards", "rules", "privacy", "secret-ballot")
HOME_ROWS = 8
PUT_TO_ROWS = 3


def home(request):
    """The landing page for visitors, the start of the day for members, the console for who reads for a firm."""
    user = request.user
    if not user.is_authenticated:
        return render(request, "landing.html", _demonstration() if settings.DEMO else {})
    member = user.as_member
    if member and member.is_applicant:
        return redirect("verification:start")
    if (member and member.may_read) or is_moderator(user):
        return render(request, "home.html", _home(user, member))
    if member and member.standing == member.Standing.SUSPENDED:
        return render(request, "accounts/suspended.html", status=403)
    is_observer = OBSERVERS in groups_of(user)
    if is_observer and seating.may_watch(user):
        return redirect("observers:list")
    return render(request, "no_membership.html", {"is_observer": is_observer})


def _demonstration() -> dict:
    """Whom one may try to be, and what the invented applicant must know about herself."""
    return {"demo_logins": DEMO_LOGINS, "demo_password": DEMO_PASSWORD, "demo_applicant": APPLICANT}


def _home(user, member):
    own = member.specialty if member else None
    waiting = first_rows(user, Waiting(own.pk), order=("-opened_at", "-pk"), size=3) if own else []
    hot = first_rows(user, Open(), order=("-hot", "-pk"), size=HOME_ROWS)
    seen = {question.pk for question in waiting}
    return {
        "member": member,
        "own_specialty": own,
        "asked": asking.put_to(user)[:PUT_TO_ROWS] if member else [],
        "waiting": waiting,
        "hot": [question for question in hot if question.pk not in seen],
        "rank": getattr(member, "rank", None) if member else None,
    }


def about(request, topic):
    """One page each on how the site works."""
    if topic not in TOPICS:
        raise Http404
    try:
        get_template(f"about/{topic}.html")
    except TemplateDoesNotExist as error:
        raise Http404 from error
    return render(request, f"about/{topic}.html")


@require_POST
def demo_log_in(request):
    """One click on the landing page of the demonstration; elsewhere there is no such page."""
    email = request.POST.get("email", "")
    if not settings.DEMO or email not in DEMO_LOGINS:
        raise Http404
    login(request, get_object_or_404(User, email=email), backend=settings.AUTHENTICATION_BACKENDS[0])
    UserSession.objects.create_from_request(request)  # as every other log-in does, so that it can be ended
    return redirect("home")


def favicon(request):
    """For pages that name no icon, such as the administration's."""
    return redirect(static("img/icon.svg"), permanent=True)


def healthz(request):
    """Alive: the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
def readyz(request):
    """Ready: what the site stands on can be reached; 503 names what cannot."""
    checks = {"database": _database, "cache": _cache, "broker": _broker}
    missing = [name for name, check in checks.items() if not check()]
    return JsonResponse({"ready": not missing, "missing": missing}, status=503 if missing else 200)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return True
    except DatabaseError:
        return False


def _cache() -> bool:
    try:
        return bool(caches["default"]._cache.get_client().ping())
    except RedisError:
        return False


def _broker() -> bool:
    try:
        with celery_app.connection_for_write(transport_options={"socket_connect_timeout": 1}) as broker:
            broker.ensure_connection(max_retries=0, timeout=1)
        return True
    except (OSError, RedisError, OperationalError):
        return False


def _error(request, status, **context):
    context["request_id"] = getattr(request, "id", "")
    return HttpResponse(render_to_string(f"{status}.html", context, request=request), status=status)


def bad_request(request, exception=None):
    return _error_alone(request, 400)


def forbidden(request, exception=None):
    return _error(request, 403, reason=str(exception or ""))


def not_found(request, exception=None):
    return _error(request, 404)


def server_error(request):
    return _error_alone(request, 500)


def csrf_failure(request, reason=""):
    """Mostly a page left open for too long; the browser's back button still has the text."""
    return _error(
        request,
        403,
        heading="This form cannot be sent any more.",
        reason="This page was open too long, or cookies are off. Go back, reload the page and send it again.",
    )


def _error_alone(request, status):
    """A page that needs neither the database nor a session."""
    body = render_to_string(f"{status}.html", {"request_id": getattr(request, "id", ""), "request": request})
    return HttpResponse(body, status=status)
