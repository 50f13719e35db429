"""Long lists in the administration: what is found is counted up to a point, all rows by the database's estimate."""

from django.core.paginator import Paginator
from django.db import connections
from django.utils.functional import cached_property

MOST_COUNTED = 2_000


class EstimatedPaginator(Paginator):
    @cached_property
    def count(self):
        counted = self.object_list.order_by()[: MOST_COUNTED + 1].count()
        if counted <= MOST_COUNTED:
            return counted
        if self.object_list.query.where:
            return MOST_COUNTED
        return max(_estimate(self.object_list), MOST_COUNTED)


def _estimate(rows) -> int:
    with connections[rows.db].cursor() as cursor:
        cursor.execute(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [rows.model._meta.db_table]
        )
        return cursor.fetchone()[0]
