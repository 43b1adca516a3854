"""Loops that are compiled to native code. Only kernels import this module, as numba takes a second to import."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile for native speed without the GIL, and keep the result on disk where numba finds a place for it.

    numba looks for a place in NUMBA_CACHE_DIR, then beside this file, then in the user's cache directory.
    """
    try:
        return cast("Function", numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # no such place is writable: compile anew in every process
        return cast("Function", numba.njit(nogil=True)(function))
