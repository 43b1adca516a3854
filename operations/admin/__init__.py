"""What the admin shows of the service itself, and what of workspaces only the topmost app can do."""

from operations.admin import periodic_tasks, workspaces

__all__ = ["periodic_tasks", "workspaces"]
