"""Data health: what is wrong, missing or odd in a workspace's data, and which analyses it is ready for.

`checks` look at arrays and know no Django; `gathering` fills those arrays from the database and the snapshot; `reports`
keeps the last report of each workspace, which `keeping` has made anew after the data changed.
"""
