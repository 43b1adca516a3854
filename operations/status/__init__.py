"""How the service is: what lives, what waits, what failed, what is full; the same for the page and the command."""
