"""Plans of spend: the page with sliders, what is recommended, and the scenarios that are kept."""
