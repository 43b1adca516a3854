"""What other apps may listen to."""

from django.dispatch import Signal

# Sent inside the transaction that creates a workspace, with `workspace`: a receiver that fails undoes the workspace.
workspace_created = Signal()
