from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"

    def ready(self) -> None:
        from jobs.handlers import register, register_sweeper
        from reports import workspace_deletion, workspace_export
        from reports.deliveries import outbox, sending, webhook_notices
        from reports.editions import actions as editions
        from reports.editions import making
        from reports.exports import background
        from reports.schedules import receivers

        register(
            workspace_export.EXPORT_JOB, execute=workspace_export.run_export, on_end=workspace_export.remove_drafts
        )
        register(workspace_deletion.DELETION_JOB, execute=workspace_deletion.run_deletion)
        register(editions.JOB_KIND, execute=making.make, on_end=making.tell_of_failure)
        register(background.FILE_JOB, execute=background.make_file, on_end=background.remove_drafts)
        register(outbox.JOB_KIND, execute=sending.deliver, on_end=sending.settle)
        register_sweeper(workspace_export.sweep_exports)
        register_sweeper(background.sweep_files)
        receivers.connect()
        webhook_notices.connect()
