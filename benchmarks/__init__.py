"""The figures that README quotes, each measured in one run; nothing is asserted."""
