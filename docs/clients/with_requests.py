"""python with_requests.py FOLDER NAME URL, with the folder that `make client NAME=… DIR=…` wrote.

The `cert=` of requests takes no encrypted key; an adapter with a context of its own does.
"""

import ssl
import sys
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter

folder, name, url = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.create_default_context(cafile=folder / "ca.crt")
context.load_cert_chain(
    folder / f"{name}.crt",
    folder / f"{name}.key",
    password=(folder / "passphrase.txt").read_bytes().rstrip(b"\n"),
)


class ClientCertificate(HTTPAdapter):
    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, ssl_context=context, **kwargs)


with requests.Session() as session:
    session.mount(url, ClientCertificate())
    session.verify = str(folder / "ca.crt")
    answer = session.get(url)
answer.raise_for_status()
print(answer.text)
