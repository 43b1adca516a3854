"""Pages of rows."""

from typing import Any

from rest_framework.pagination import Cursor
from rest_framework.request import Request

from api.paging import Pages
from marketing.api.rows.walking import Place, Row, walk
from mmm_project.problems import Invalid


class RowPages(Pages):
    """Pages in the order of `walk`, whose places the cursors name. The view says whose rows: `imports()`."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the page that the request asks for. Raises Invalid for a size or a cursor that there cannot be."""
        self.base_url = request.build_absolute_uri()
        self.page_size = self.get_page_size(request)
        cursor: Cursor | None = self.decode_cursor(request)
        self._beside = _place(cursor)
        self._backwards = cursor is not None and cursor.reverse
        found = walk(queryset, view.imports(), most=self.page_size + 1, beside=self._beside, backwards=self._backwards)
        self._has_more = len(found) > self.page_size
        self._page = found[: self.page_size]
        if self._backwards:
            self._page.reverse()
        return self._page

    def get_next_link(self) -> str | None:
        """Return the address of what comes after this page; a page that one went back to has always something."""
        if not (self._has_more or self._backwards):
            return None
        return self._link(self._page[-1:], is_back=False)

    def get_previous_link(self) -> str | None:
        if self._beside is None or (self._backwards and not self._has_more):
            return None
        return self._link(self._page[:1], is_back=True)

    def _link(self, row: list[Row], *, is_back: bool) -> str:
        """Return the address of what lies beside the row; beside where one came from, if the page is empty."""
        place = Place.of(row[0]) if row else self._beside
        cursor: Any = Cursor(offset=0, reverse=is_back, position=str(place))  # type: ignore[arg-type]  # as it is read
        link: str = self.encode_cursor(cursor)
        return link


def _place(cursor: Cursor | None) -> Place | None:
    if cursor is None:
        return None
    try:
        return Place.read(str(cursor.position))
    except ValueError:
        sentence = "Follow the `next` or `previous` of an answer as it is."
        raise Invalid("This cursor leads nowhere.", errors={"cursor": [sentence]}) from None
