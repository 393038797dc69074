from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter
from rich.console import Console

from components.pki import certificates, keys, revocation_list
from components.pki.certificates import Issuer
from components.pki.names import distinguished_name
from components.pki.record import RecordedCertificate
from components.pki.windows import Window, show_time
from operations import outputs as stack_outputs
from operations.certificates.inventory import (
    list_certificates,
    render_inventory,
    select_due,
    select_matching,
    to_csv,
    to_json,
)

NOW = datetime(2030, 6, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


def entry(name: str, days: int, status: str = "valid", **more: object) -> dict[str, object]:
    return {
        "name": name,
        "serial_number": f"{len(name):02x}",
        "fingerprint_sha256": "00",
        "subject": f"CN={name}",
        "not_before": show_time(NOW - timedelta(days=100)),
        "not_after": show_time(NOW + timedelta(days=days)),
        "status": status,
        **more,
    }


@pytest.fixture(scope="module")
def signer():
    key = keys.generate(2048)
    window = Window.opening(NOW, timedelta(days=3650))
    name = distinguished_name({"common_name": "Inventory CA"})
    return Issuer(certificates.issue_authority(name, key, window), key)


@pytest.fixture
def found(document, signer):
    issued = [
        entry("old", 10, "superseded"),
        entry("browser", 200),
        entry("partner", 20),
        entry("gone", 50, "revoked", revoked_at=show_time(NOW), reason="keyCompromise"),
    ]
    window = Window.opening(NOW, timedelta(days=30))
    listed = revocation_list.issue(signer, 7, window, [])
    return stack_outputs.parse(
        document(
            ca_certificate=certificates.pem(signer.certificate),
            issued=issued,
            certificate_revocation_list=revocation_list.pem(listed),
            renewal={
                "certificate_authority": "730d",
                "server": "30d",
                "revocation_list": "10d",
                "clients": {"browser": "30d", "partner": "30d"},
            },
        )
    )


def states(found, now=NOW):
    return {
        item.name: item.state for item in list_certificates(found, now) if item.role == "client"
    }


def test_what_is_not_valid_yet_is_due_as_the_next_up_renews_it(found):
    earlier = NOW - timedelta(days=101)
    items = list_certificates(found, earlier)
    unborn = [item for item in items if item.not_before and item.not_before > earlier]
    current = [item for item in unborn if item.due_at]
    assert {item.role for item in current} == {"ca", "client", "revocation list"}
    assert {(item.state, item.due_at) for item in current} == {("due", earlier)}
    assert set(current) <= set(select_due(items, earlier))


def test_each_certificate_has_its_state(found):
    assert states(found) == {
        "old": "superseded",
        "browser": "valid",
        "partner": "due",
        "gone": "revoked",
    }


def test_what_has_ended_is_expired_unless_it_was_revoked(found):
    later = NOW + timedelta(days=100)
    assert states(found, later) == {
        "old": "expired",
        "browser": "valid",
        "partner": "expired",
        "gone": "revoked",
    }


def test_the_list_and_the_ca_are_part_of_it(found):
    items = {item.role: item for item in list_certificates(found, NOW)}
    assert items["ca"].state == "valid"
    assert items["revocation list"].serial_number == "7"
    assert items["revocation list"].name == "0 revoked"
    assert items["revocation list"].due_at == NOW + timedelta(days=20)


def test_due_names_what_is_to_be_renewed_in_order(found):
    items = [i for i in list_certificates(found, NOW) if i.role != "server"]
    assert [i.name for i in select_due(items, NOW)] == ["partner"]
    assert [i.name for i in select_due(items, NOW + timedelta(days=21))] == ["partner", "0 revoked"]
    assert "gone" not in [i.name for i in select_due(items, NOW + timedelta(days=9000))]
    assert "old" not in [i.name for i in select_due(items, NOW + timedelta(days=9000))]


def test_json_and_csv_say_the_same(found):
    items = list_certificates(found, NOW)
    from_json = json.loads(to_json(items))
    from_csv = list(csv.DictReader(io.StringIO(to_csv(items))))
    assert [{k: v or "" for k, v in row.items()} for row in from_json] == from_csv
    gone = next(row for row in from_json if row["name"] == "gone")
    assert gone["reason"] == "keyCompromise"
    assert gone["revoked_at"] == "2030-06-01T00:00:00Z"


def test_the_table_has_no_secret_and_every_name(found):
    console = Console(width=200, record=True)
    render_inventory(list_certificates(found, NOW), "Certificates", console)
    text = console.export_text()
    assert all(name in text for name in ("browser", "partner", "gone", "revoked (keyCompromise)"))
    assert "PRIVATE" not in text
    for item in list_certificates(found, NOW):
        assert item.serial_number in text
        assert item.fingerprint_sha256[:16] in text


def test_a_server_certificate_brought_along_is_due_when_it_ends(found):
    values = found.model_copy(update={"server_certificate_issuer": "other"})
    server = next(item for item in list_certificates(values, NOW) if item.role == "server")
    assert server.due_at == server.not_after - timedelta(seconds=1)


def test_while_a_rotation_is_prepared_both_cas_and_their_lists_are_part_of_it(found, signer):
    key = keys.generate(2048)
    name, window = distinguished_name({"common_name": "CA G2"}), Window.opening(NOW, YEAR)
    following = Issuer(certificates.issue_authority(name, key, window), key)
    lists = [revocation_list.issue(one, 8, window, []) for one in (signer, following)]
    values = found.model_copy(
        update={
            "next_ca_certificate": certificates.pem(following.certificate),
            "certificate_revocation_list": "".join(map(revocation_list.pem, lists)),
        }
    )
    items = list_certificates(values, NOW)
    assert [item.name for item in items if item.role == "ca"] == ["CA", "next CA"]
    listed = [item for item in items if item.role == "revocation list"]
    assert [item.serial_number for item in listed] == ["8", "8"]
    assert len({item.fingerprint_sha256 for item in listed}) == 2


def test_what_ca_and_servers_had_before_is_part_of_it(found, signer):
    def recorded(name, role, fingerprint, days, status):
        one = entry(name, days, status, role=role, fingerprint_sha256=fingerprint)
        return TypeAdapter(RecordedCertificate).validate_python(one)

    present = certificates.fingerprint_sha256(signer.certificate)
    values = found.model_copy(
        update={
            "certificate_record": (
                recorded("CA", "ca", "a1", 20, "superseded"),
                recorded("www.example.com", "server", "b1", 10, "superseded"),
                recorded("CA", "ca", present, 3649, "valid"),
                recorded("next CA, signed by the CA", "ca", "c1", 30, "valid"),
            )
        }
    )

    def shown(now):
        items = list_certificates(values, now)
        return [(i.name, i.state) for i in items if i.fingerprint_sha256 in {"a1", "b1", "c1"}]

    assert len([i for i in list_certificates(values, NOW) if i.fingerprint_sha256 == present]) == 1
    ca, domain, crossed = shown(NOW)
    assert (ca, domain) == (("CA", "superseded"), ("www.example.com", "superseded"))
    assert crossed == ("next CA, signed by the CA", "valid")
    assert shown(NOW + timedelta(days=15))[1] == ("www.example.com", "expired")
    names = [
        item.name for item in select_due(list_certificates(values, NOW), NOW + timedelta(days=9000))
    ]
    assert "www.example.com" not in names


def imported(name, days, status="valid", **more):
    unknown = {"not_before": "", "fingerprint_sha256": ""}
    return entry(name, days, status, **unknown, imported=True, **more)


def test_what_was_imported_has_a_state_and_is_renewed_by_nobody(document):
    issued = [
        imported("phone", 1),
        imported("succeeded", 10, "superseded"),
        imported("leaver", 10, "revoked", revoked_at=show_time(NOW), reason="keyCompromise"),
    ]
    found = stack_outputs.parse(document(issued=issued))
    assert states(found) == {"phone": "valid", "succeeded": "superseded", "leaver": "revoked"}
    assert states(found, NOW + timedelta(days=5))["phone"] == "expired"
    items = [item for item in list_certificates(found, NOW) if item.role == "client"]
    assert select_due(items, NOW + timedelta(days=9000)) == []
    render_inventory(items, "Certificates", Console(width=200, record=True))
    assert json.loads(to_json(items))[0]["not_before"] is None
    assert to_csv(items).splitlines()[1].startswith("client,phone,valid,,2030-")


def test_a_client_certificate_brought_along_is_due_when_it_ends(found):
    renewal = found.renewal.model_copy(update={"clients": {"browser": "30d"}})
    values = found.model_copy(update={"renewal": renewal})
    partner = next(item for item in list_certificates(values, NOW) if item.name == "partner")
    assert (partner.state, partner.due_at) == ("valid", partner.not_after - timedelta(seconds=1))


def many(document, signer, count=200):
    issued = [
        entry(f"client-{n:03}", n % 97 - 1, serial_number=f"{n + 2**158:x}") for n in range(count)
    ]
    issued += [entry("x" * 64, 30, "revoked", revoked_at=show_time(NOW), reason="superseded")]
    return stack_outputs.parse(
        document(
            ca_certificate=certificates.pem(signer.certificate),
            issued=issued,
            renewal={"clients": {f"client-{n:03}": "10d" for n in range(count)}},
        )
    )


def printed(items, **options):
    console = Console(width=80, file=io.StringIO())
    render_inventory(items, "Certificates of stack local", console, **options)
    return console.file.getvalue().splitlines()


def test_two_hundred_clients_are_a_line_each_on_eighty_columns(document, signer):
    items = list_certificates(many(document, signer), NOW)
    title, heading, *rows, counted = printed(items)
    assert title == "Certificates of stack local"
    assert heading.split() == ["State", "Due", "Until", "Role", "Name", "Serial", "number"]
    assert len(rows) == len(items)
    assert max(map(len, rows)) <= 80
    for item in items:
        (row,) = [row for row in rows if f"{item.name[:20]}" in row and item.role[-6:] in row]
        assert item.serial_number[:12] in row
    # What is due first comes first; what nobody renews comes last.
    due_at = [row.split()[1] for row in rows if row.split()[0] != "revoked"]
    assert due_at == sorted(due_at)
    assert rows[-1].split()[0] == "revoked"
    states = [item.state for item in items]
    assert counted == f"{len(items)} in all: " + ", ".join(
        f"{states.count(state)} {state}"
        for state in ("expired", "due", "valid", "revoked")
        if states.count(state)
    )


def test_wide_lines_hold_every_serial_number_in_one_piece(document, signer):
    items = list_certificates(many(document, signer, 5), NOW)
    _, _, *rows, _ = printed(items, wide=True)
    assert len(rows) == len(items)
    assert all(any(item.serial_number in row for row in rows) for item in items)


def test_states_and_names_can_be_chosen(found):
    items = list_certificates(found, NOW)
    assert [item.name for item in select_matching(items, ["due"], []) if item.role == "client"] == [
        "partner"
    ]
    assert [item.name for item in select_matching(items, [], ["part*", "old"])] == [
        "old",
        "partner",
    ]
    assert select_matching(items, ["revoked"], ["partner"]) == []
    assert printed([])[-1] == "Nothing is listed."


def test_each_key_is_named_also_where_the_entry_of_an_earlier_version_is_not(found, document, pki):
    number = certificates.serial_number(pki.browser.certificate)
    issued = [
        entry("phone", 300, key="ECDSA P-256"),
        entry("old", 10, "superseded"),
        {**entry("browser", 200), "serial_number": number},
    ]
    items = {
        item.name: item
        for item in list_certificates(stack_outputs.parse(document(issued=issued)), NOW)
    }
    assert {name: items[name].key for name in ("CA", "server", "phone", "old", "browser")} == {
        "CA": "RSA 2048",
        "server": "RSA 2048",
        "phone": "ECDSA P-256",
        "old": "",
        "browser": "RSA 2048",
    }
    assert any("  ECDSA P-256  " in line for line in printed(list(items.values()), wide=True))
    [row] = json.loads(to_json([items["phone"]]))
    assert row["key"] == "ECDSA P-256"
