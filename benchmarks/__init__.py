"""The figures that the pages quote, each measured in one run; nothing is asserted."""
