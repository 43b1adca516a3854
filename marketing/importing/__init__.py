"""Files become rows: `files` reads, `fields` and `cells` check, `tables` lay out, `loading` writes, `settle` decides
which of several equal rows holds, `actions` is the way in."""
