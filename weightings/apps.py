from django.apps import AppConfig


class WeightingsConfig(AppConfig):
    name = "weightings"

    def ready(self) -> None:
        from accounts import usage
        from analyses.registry import register
        from jobs.handlers import register_sweeper
        from weightings import analysis, fits
        from weightings.budgets import analysis as budgets
        from weightings.forecasts import analysis as forecasts
        from weightings.refresh import reminders

        register(analysis.KIND)
        register(budgets.KIND)
        register(forecasts.KIND)
        usage.register_counter(usage.Counted.FITS, fits.fits_now)
        register_sweeper(reminders.remind_of_stale_models)
