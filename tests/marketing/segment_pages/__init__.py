"""The pages of segments: the list, and the form of one."""
