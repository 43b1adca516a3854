"""Admin pages for rows that a site admin looks at but only the product itself writes."""

from typing import Any

from django.http import HttpRequest

from mmm_project.admin_rows import RowsAdmin


class ReadOnlyAdmin(RowsAdmin):
    """Lists and shows; never adds, changes or deletes. What can be done to its rows are actions."""

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False
