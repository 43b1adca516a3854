"""The compiled inner loop of custom models. Importing this imports numba: import it where credit is computed."""

from attribution.methods import custom_weighing
from marketing.native import compiled

# What numba keeps on disk belongs to the file of the function, so it is compiled anew when that file changes.
add_custom_credit = compiled(custom_weighing.add_custom_credit)
