"""Ways from one row of the admin to others: links in columns, links to filtered lists, and a filter by workspace."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

NOTHING = "–"


def page_of(row: Model) -> str:
    """Return the address of a row's page in the admin; "" where its model has none."""
    try:
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return ""


def link_to_row(row: Model | None) -> str | SafeString:
    """Return a link to a row, by its name; a dash for none."""
    if row is None:
        return NOTHING
    page = page_of(row)
    return format_html('<a href="{}">{}</a>', page, row) if page else str(row)


def link_to(name: str, description: str = "") -> Callable[[Any], str | SafeString]:
    """Return a column with a link to the row that a foreign key names; `list_select_related` has to fetch it."""

    @admin.display(description=description or name.replace("_", " "), ordering=name)
    def column(row: Any) -> str | SafeString:
        return link_to_row(getattr(row, name))

    return column


def list_of(model: str, **filters: Any) -> str:
    """Return the address of a list in the admin: `list_of("analyses.run", workspace__id__exact=3)`."""
    app_label, model_name = model.lower().split(".")
    return f"{reverse(f'admin:{app_label}_{model_name}_changelist')}?{urlencode(filters)}"


def links(*targets: tuple[str, str]) -> SafeString:
    """Return links, each a name and an address, one after another."""
    return format_html_join(" · ", '<a href="{1}">{0}</a>', targets)


class ChosenRow(admin.SimpleListFilter):
    """Keeps to the rows of one other row, which an address names; it offers no others, of which there may be many.

    `parameter_name` is Django's own look-up, so that such an address is one that every list takes.
    """

    of: str

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any) -> None:
        related: Any = model
        for part in self.of.split("__"):
            related = related._meta.get_field(part).related_model
        self._related = related
        super().__init__(request, params, model, model_admin)

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Sequence[tuple[str, str]]:
        chosen = self.value()
        if not chosen:
            return []
        try:
            self._row = self._related.objects.filter(pk=chosen).first()
        except (ValueError, ValidationError):  # what no id can be
            self._row = None
        return [(chosen, str(self._row) if self._row else "one that is not there")]

    def queryset(self, _request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return rows
        return rows.filter(Q((str(self.parameter_name), self.value()))) if self._row else rows.none()


def by_chosen(of: str, title: str = "") -> type[ChosenRow]:
    """Return a filter by the row that the foreign key `of` (a path, perhaps) leads to."""
    names = {"of": of, "title": title or of.rpartition("__")[2].replace("_", " ")}
    return type("ChosenRow", (ChosenRow,), {**names, "parameter_name": f"{of}__id__exact"})


by_workspace = by_chosen("workspace")
