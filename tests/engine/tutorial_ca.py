"""A CA made by the tutorial's own OpenSSL commands, with two clients of which one is revoked."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests import processes

SUBJECT = "/C=CN/ST=Zhejiang/O=Example Ltd/OU=Platform"

CONFIGURATION = """
[ ca ]
default_ca = foo
[ foo ]
dir = {folder}
database = {folder}/index.txt
new_certs_dir = {folder}/newcerts
certificate = {folder}/private/ca.crt
serial = {folder}/serial
private_key = {folder}/private/ca.key
default_days = 365
default_crl_days= 30
# The tutorial has md5, which today's OpenSSL refuses to verify.
default_md = sha256
unique_subject = no
policy = policy_any
# As many configurations have it: what is issued names the CA's certificate by its serial number.
x509_extensions = issued
[ issued ]
authorityKeyIdentifier = keyid, issuer:always
[ policy_any ]
countryName = match
stateOrProvinceName = match
organizationName = match
organizationalUnitName = match
localityName = optional
commonName      = supplied
emailAddress    = optional
"""


class TutorialCA:
    """The folder that the tutorial calls /root/ca.

    Args:
        folder: An empty one.
        common_name: The CA's, and what follows it.
        digest: With which its own certificate is signed.
    """

    def __init__(
        self, folder: Path, common_name: str = "www.example.com", digest: str = "sha256"
    ) -> None:
        self.folder = folder
        for name in ("newcerts", "private", "conf", "users"):
            (folder / name).mkdir()
        (folder / "conf/openssl.conf").write_text(CONFIGURATION.format(folder=folder))
        (folder / "serial").write_text("FACE\n")
        (folder / "index.txt").touch()
        self.openssl("genrsa -out private/ca.key 2048")
        self.openssl(
            f"req -new -key private/ca.key -out private/ca.csr -subj '{SUBJECT}/CN={common_name}'"
        )
        self.openssl(
            f"x509 -req -{digest} -days 365 -in private/ca.csr -signkey private/ca.key "
            "-out private/ca.crt"
        )
        for name in ("client", "leaver"):
            self.request(name, f"{SUBJECT}/CN={name}")
            self.openssl(
                f"ca -batch -in users/{name}.csr -out users/{name}.crt -config conf/openssl.conf"
            )
        self.openssl(
            "ca -revoke users/leaver.crt -crl_reason keyCompromise -config conf/openssl.conf"
        )

    def request(self, name: str, subject: str) -> str:
        """Make a key and a signing request in `users`; return the request."""
        self.openssl(f"genrsa -out users/{name}.key 2048")
        self.openssl(
            f"req -new -key users/{name}.key -out users/{name}.csr -subj {shlex.quote(subject)}"
        )
        return self.read(f"users/{name}.csr")

    def read(self, file: str) -> str:
        return (self.folder / file).read_text()

    def openssl(self, command: str) -> None:
        processes.printed(["openssl", *shlex.split(command)], cwd=self.folder)
