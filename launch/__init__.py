"""The top floor: the `veldwatch` command, and the whole stack on one machine."""
