"""What other parts may listen to."""

from django.dispatch import Signal

# Sent with `edition` inside the transaction that completes its job: a receiver that fails undoes the completion.
edition_made = Signal()
# Sent with `edition` and a `sentence` inside the transaction that ends its job as failed or cancelled.
edition_failed = Signal()
