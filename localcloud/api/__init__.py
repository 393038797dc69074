"""The API over HTTPS: signatures, strict parameters, dispatch."""
