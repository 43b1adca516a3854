"""Backups of an installation: its database and the files that cannot be computed again, in one archive.

`making` and `restoring` are the two ways in; docs/backups.md says what is kept, and what to do around a restore.
"""
