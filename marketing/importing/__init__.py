"""Files become rows: `files` reads, `fields`, `cells` and `checking` check, `loading` lays out and writes, `settle`
decides which of several equal rows holds, `removal` clears up, `actions` is the way in."""
