"""Segments: the journeys of some customers, chosen by what is known of them and what they did.

`definition` is the grammar, `evaluation` chooses journeys (both pure), `names` says what the names in a definition
stand for in a workspace, `saved` keeps definitions under names, and `preview` counts what one would choose.
`marketing.selectors.load_journeys(segment=...)` is how analyses use one.
"""
