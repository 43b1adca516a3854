"""What other apps may listen to."""

from django.dispatch import Signal

# Sent with `endpoint` and a `sentence`, inside the transaction in which the product disables an endpoint by itself.
endpoint_disabled = Signal()
