"""What goes wrong with a backup, as a sentence for whoever runs the installation."""


class BackupError(Exception):
    """A backup cannot be made, read or restored; the message says why, and what to do."""
