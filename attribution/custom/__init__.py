"""Attribution models that a workspace makes up itself: kept, compiled, previewed, and their pages and API."""
