"""Arguments of the components, checked: what may be set, in which range, and what goes together."""
