from __future__ import annotations

from operations.commands.certificates import PARTNER_PAGES
from operations.project import PROJECT


def test_client_gets_files_and_instructions_without_a_secret(run, target, tmp_path, capsys):
    assert run("client", "browser", "--dir", str(tmp_path / "out")) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert f"Files of client browser in {tmp_path / 'out'}\n" in printed.out
    assert max(map(len, printed.out.splitlines())) > 100  # commands are not wrapped
    secret = target.stack.document["client_bundles"]["browser"]["pass_phrase"]
    assert secret not in printed.out
    assert (tmp_path / "out" / "browser.p12").exists()
    assert printed.out.endswith(
        "\n\nTo send along: docs/en/partner.md or, in Chinese, docs/zh/partner.md\n"
        "`make docs` makes of each one file for browsers: site/partner.en.html, .zh.html\n"
    )
    assert "docs/" not in (tmp_path / "out" / "install.txt").read_text()
    for page in PARTNER_PAGES:
        assert (PROJECT / page).is_file()


def test_instructions_follow_the_issuer_of_the_server_certificate(run, target, tmp_path, capsys):
    target.stack.document["server_certificate_issuer"] = "other"
    run("client", "browser", "--dir", str(tmp_path / "out"))
    assert "--cacert" not in capsys.readouterr().out
