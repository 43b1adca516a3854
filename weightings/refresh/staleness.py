"""For how long a media mix model is to be acted upon: markets, prices and creatives move on, and it does not."""

from datetime import timedelta

STALE_AFTER = timedelta(days=90)  # since the run was asked for
