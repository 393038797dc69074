"""Error pages as Tengine, CLB's layer 7, writes them."""

from __future__ import annotations


def write_page(title: str, detail: str | None = None) -> str:
    """Write an error page as Tengine does; `title` starts with the status code."""
    heading = title if detail is None else "400 Bad Request"
    body = f"<center><h1>{heading}</h1></center>\r\n"
    if detail is not None:
        body += f"<center>{detail}</center>\r\n"
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n{body}</body>\r\n</html>\r\n"
    )


def write_502() -> str:
    """Write the whole response for a backend that cannot be reached."""
    body = write_page("502 Bad Gateway")
    return (
        "HTTP/1.1 502 Bad Gateway\r\n"
        "Content-Type: text/html\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Cache-Control: no-cache\r\n"
        f"\r\n{body}"
    )
