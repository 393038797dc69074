"""A package of this program's own, whose name the installed components must not take."""

OWNER = "another program"
