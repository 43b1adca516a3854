"""Sending what is due, several at once: one thread of a worker asks the database, others wait for receivers.

A receiver that takes its time keeps one of `WEBHOOKS_AT_ONCE` threads that do nothing else, and no thread of the
worker's but the one that is here.
"""

import logging
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from django.conf import settings
from django.utils import timezone

from webhooks import sending
from webhooks.sending import OUR_FAULT, Claim
from webhooks.transport import Answer

logger = logging.getLogger(__name__)

# After this, nothing new is begun: the worker is asked again for what is left, and may be told to stop meanwhile.
SECONDS_OF_A_SHIFT = 30.0
# What has been announced since is looked for so often, while receivers are waited for.
SECONDS_BETWEEN_LOOKS = 1.0
_at_work = threading.Lock()


def send_due() -> int:
    """Send what is due until nothing is; return how many attempts were made.

    Does nothing, and returns 0, while another thread of this process is at it: that one finds what is new.
    """
    if not _at_work.acquire(blocking=False):
        return 0
    try:
        sending.recover(timezone.now())
        return _shift()
    finally:
        _at_work.release()


def _shift() -> int:
    made, until = 0, time.monotonic() + SECONDS_OF_A_SHIFT
    under_way: dict[Future[Answer], Claim] = {}
    with ThreadPoolExecutor(settings.WEBHOOKS_AT_ONCE, thread_name_prefix="webhook") as threads:
        while True:
            while len(under_way) < settings.WEBHOOKS_AT_ONCE and time.monotonic() < until:
                claim = sending.claim_next()
                if claim is None:
                    break
                under_way[threads.submit(sending.hand_over, claim)] = claim
                made += 1
            if not under_way:
                return made
            done, _ = wait(under_way, timeout=SECONDS_BETWEEN_LOOKS, return_when=FIRST_COMPLETED)
            for future in done:
                _conclude(under_way.pop(future), future)


def _conclude(claim: Claim, future: "Future[Answer]") -> None:
    """Write what came of an attempt. What cannot be written now is found as interrupted, and sent again."""
    try:
        answer = future.result()
    except Exception:
        logger.exception("A message could not be sent to a webhook, and not because of its receiver")
        answer = Answer(error=OUR_FAULT)
    try:
        sending.conclude(claim, answer)
    except Exception:
        logger.exception("What came of the webhook delivery %s could not be written", claim.delivery_id)
