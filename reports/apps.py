from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"

    def ready(self) -> None:
        from jobs.handlers import register, register_sweeper
        from reports import workspace_deletion, workspace_export

        register(
            workspace_export.EXPORT_JOB, execute=workspace_export.run_export, on_end=workspace_export.remove_drafts
        )
        register(workspace_deletion.DELETION_JOB, execute=workspace_deletion.run_deletion)
        register_sweeper(workspace_export.sweep_exports)
