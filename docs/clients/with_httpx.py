"""python with_httpx.py FOLDER NAME URL, with the folder that `make client NAME=… DIR=…` wrote."""

import ssl
import sys
from pathlib import Path

import httpx

folder, name, url = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.create_default_context(cafile=folder / "ca.crt")
context.load_cert_chain(
    folder / f"{name}.crt",
    folder / f"{name}.key",
    password=(folder / "passphrase.txt").read_bytes().rstrip(b"\n"),
)
print(httpx.get(url, verify=context).raise_for_status().text)
