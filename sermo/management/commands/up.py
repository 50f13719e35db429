from django.core.management.base import BaseCommand

from sermo.runtime import supervisor


class Command(BaseCommand):
    """The supervisor, listed among the other commands; manage.py calls it without starting Django first."""

    help = "Serve the whole site: database, Valkey, web, worker and scheduler, until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--servers-only", action="store_true", help="only the database and Valkey")

    def handle(self, *args, servers_only, **options):
        raise SystemExit(supervisor.main(["--servers-only"] if servers_only else []))
