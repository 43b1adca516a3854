"""The site admin's view of people, workspaces, plans, keys and the audit log.

Whatever they change is on record: each action and form ends in a function of accounts that leaves a trace.
"""

from accounts.admin import audit_log, keys, people, plans, workspaces

__all__ = ["audit_log", "keys", "people", "plans", "workspaces"]
